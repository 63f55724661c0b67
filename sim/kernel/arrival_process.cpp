#include "sim/kernel/arrival_process.hpp"
