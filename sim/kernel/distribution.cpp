#include "sim/kernel/distribution.hpp"
