#include "vmbsim/histogram.hpp"
