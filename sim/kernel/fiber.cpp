#include "sim/kernel/fiber.hpp"
