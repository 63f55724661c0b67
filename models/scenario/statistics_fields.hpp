#pragma once
/// The keys of a scenario that say how sure its figures are to be, and what a plan asks for.
#include "models/scenario/fields.hpp"

namespace vmbsim::scenario {

/// `warm_up`: a span, or "auto".
void warm_up_field(Visitor& v, Scenario& s);

/// `[precision]`. `judged`: what metrics are named after could be read.
void precision_fields(Visitor& v, Scenario& s, bool judged);

/// `[plan]`
void plan_fields(Visitor& v, PlanSpec& plan);

/// A share inside of 0 and 1, in steps of a thousandth.
Parse parse_share(double& out);

}  // namespace vmbsim::scenario
