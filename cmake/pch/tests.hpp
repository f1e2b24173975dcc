// The same for files of tests.
#pragma once

#include "programs.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
