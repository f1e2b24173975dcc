// A target needs a source; this one carries the precompiled header.
