#include "sim/kernel/random.hpp"
