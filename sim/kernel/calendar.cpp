#include "sim/kernel/calendar.hpp"
