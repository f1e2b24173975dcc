#!/usr/bin/env python3
"""llama-server's command line over the package xllamacpp, which holds llama.cpp's own HTTP server.

For the demo and the tests, on machines without a llama-server: the routes, the wire format, the slots and their cancellation
are the real ones. It takes the flags that pool-managerd sends and the common ones beside them, and refuses any other. As with
the real program, logs go to stderr, LLAMA_API_KEY stands for --api-key, and a model that cannot be loaded is exit code 1.

Where it differs: one thread unless -t says otherwise (meant for tiny models), and SIGTERM ends it at once, even when busy.
"""
import argparse
import importlib.metadata
import os
import signal
import sys

import xllamacpp

FLASH_ATTENTION = {
    "on": xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_ENABLED,
    "off": xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED,
    "auto": xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_AUTO,
}
POOLING = {name: getattr(xllamacpp.llama_pooling_type, "LLAMA_POOLING_TYPE_" + name.upper())
           for name in ("none", "mean", "cls", "last", "rank")}
GPU_LAYERS = {"auto": -1, "all": -2}


def fail(message):
    print("llama-server: %s" % message, file=sys.stderr, flush=True)
    sys.exit(1)


class Parser(argparse.ArgumentParser):
    def error(self, message):
        fail("error: %s" % message)


def gpu_layers(text):
    return GPU_LAYERS[text] if text in GPU_LAYERS else int(text)


def shares(text):
    return [float(part) for part in text.split(",")]


def make_parser():
    parser = Parser(prog="llama-server", allow_abbrev=False, description=__doc__.split("\n")[0])
    parser.add_argument("--version", action="store_true")
    parser.add_argument("-m", "--model")
    parser.add_argument("-a", "--alias")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("-np", "--parallel", type=int, default=1, help="slots")
    parser.add_argument("-c", "--ctx-size", type=int, default=0, help="tokens of all slots together; 0 = as trained")
    parser.add_argument("-ngl", "--gpu-layers", "--n-gpu-layers", type=gpu_layers, default=-1, help="a number, auto or all")
    parser.add_argument("-ts", "--tensor-split", type=shares, default=[])
    parser.add_argument("-t", "--threads", type=int, default=1)
    parser.add_argument("-b", "--batch-size", type=int)
    parser.add_argument("-ub", "--ubatch-size", type=int)
    parser.add_argument("-fa", "--flash-attn", nargs="?", choices=FLASH_ATTENTION, const="on", default="auto")
    parser.add_argument("--cache-ram", "-cram", type=int, help="MiB of host memory for evicted prompts")
    parser.add_argument("--metrics", action="store_true")
    parser.add_argument("--slots", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--props", action="store_true")
    parser.add_argument("--embeddings", "--embedding", action="store_true")
    parser.add_argument("--pooling", choices=POOLING, help="default: what the model says")
    parser.add_argument("--api-key", default=os.environ.get("LLAMA_API_KEY"))
    return parser


def make_params(options):
    params = xllamacpp.CommonParams()
    params.model.path = options.model
    params.hostnames, params.port = [options.host], options.port
    params.model_alias = {options.alias} if options.alias else set()
    params.n_parallel, params.n_ctx = options.parallel, options.ctx_size
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = options.threads
    params.n_gpu_layers = options.gpu_layers
    params.flash_attn_type = FLASH_ATTENTION[options.flash_attn]
    params.endpoint_metrics, params.endpoint_slots, params.endpoint_props = options.metrics, options.slots, options.props
    params.embedding = options.embeddings
    params.api_keys = [key for key in (options.api_key or "").split(",") if key]
    params.warmup = False
    if options.pooling:
        params.pooling_type = POOLING[options.pooling]
    if options.tensor_split:
        devices = len(params.tensor_split)
        params.tensor_split = (options.tensor_split + [0.0] * devices)[:devices]
    for name, value in (("n_batch", options.batch_size), ("n_ubatch", options.ubatch_size), ("cache_ram_mib", options.cache_ram)):
        if value is not None:
            setattr(params, name, value)
    return params


def main():
    options = make_parser().parse_args()
    if options.version:
        info, package = xllamacpp.BUILD_INFO, importlib.metadata.version("xllamacpp")
        print("version: %s (xllamacpp %s)\nbuilt with %s for %s"
              % (info["build_number"], package, info["compiler"], info["build_target"]), file=sys.stderr)
        return
    if not options.model:
        fail("error: --model is missing")
    if not os.path.isfile(options.model):
        fail("error: failed to open model '%s': no such file" % options.model)

    # Blocked before the server starts its threads, so that none of them gets the signal.
    ending = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, ending)
    try:
        server = xllamacpp.Server(make_params(options))
    except Exception as error:
        fail("error: failed to load model '%s' or to listen on %s:%d: %s" % (options.model, options.host, options.port, error))
    print("llama-server: listening on %s" % server.listening_address, file=sys.stderr, flush=True)
    signal.sigwait(ending)
    # Not a return: the library's destructor waits for running requests.
    os._exit(0)


if __name__ == "__main__":
    main()
