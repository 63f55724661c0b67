#include <nlohmann/json.hpp>

#include "models/scenario/fields.hpp"
#include "models/scenario/schema.hpp"
#include "sim/config/toml_text.hpp"

namespace vmbsim::scenario {
namespace {

using Json = nlohmann::ordered_json;

Json reference(const char* name) { return {{"$ref", std::string("#/definitions/") + name}}; }

Json pattern(const char* what, const char* regex) {
  return {{"type", "string"}, {"description", what}, {"pattern", regex}};
}

Json object(Json properties, const std::vector<std::string>& required) {
  Json out = {{"type", "object"}, {"properties", std::move(properties)}, {"additionalProperties", false}};
  if (!required.empty()) out["required"] = required;
  return out;
}

Json list_of(Json item) { return {{"type", "array"}, {"items", std::move(item)}, {"minItems", 1}}; }

Json one_of(std::vector<Json> forms) { return {{"oneOf", std::move(forms)}}; }

Json definitions() {
  const Json text = {{"type", "string"}};
  const Json duration = reference("duration");
  const Json rate = reference("rate");
  Json two_durations = list_of(duration);
  two_durations["minItems"] = two_durations["maxItems"] = 2;
  Json out;
  out["duration"] = pattern("a number and ns, us, ms or s", "^[0-9]+(\\.[0-9]+)? ?(ns|us|µs|ms|s)$");
  out["size"] = pattern("a number and B, KiB, MiB, GiB or pages", "^[0-9]+(\\.[0-9]+)? ?(B|KiB|MiB|GiB|pages?)$");
  out["rate"] = pattern("a number and /us, /ms, /s, /min or /h, with k or M in front if you like",
                        "^[0-9]+(\\.[0-9]+)? ?[kM]?/(us|ms|s|min|h)$");
  out["name"] = pattern("letters, digits, '-' and '_'", "^[A-Za-z0-9_-]{1,64}$");
  out["distribution"] = one_of(
      {duration, object({{"exponential", duration}}, {"exponential"}),
       object({{"uniform", two_durations}}, {"uniform"}),
       object({{"lognormal", object({{"median", duration}, {"p99", duration}}, {"median", "p99"})}}, {"lognormal"}),
       object({{"empirical", object({{"file", text}, {"column", text}, {"unit", text}}, {"file", "column"})}},
              {"empirical"})});
  out["service"] = {{"anyOf", {reference("distribution"), {{"enum", {"trace"}}}}}};
  out["arrivals"] =
      one_of({object({{"poisson", rate}}, {"poisson"}), object({{"periodic", rate}}, {"periodic"}),
              object({{"renewal", reference("distribution")}}, {"renewal"}),
              object({{"mmpp", list_of(object({{"rate", rate}, {"stay", duration}}, {"rate", "stay"}))}}, {"mmpp"})});
  out["request"] =
      one_of({reference("size"),
              list_of(object({{"size", reference("size")}, {"weight", {{"type", "integer"}, {"minimum", 1}}}},
                             {"size", "weight"}))});
  out["library"] = pattern("the file of a driver library", "\\.so$");
  out["driver"] = {{"anyOf", {{{"enum", {"echo", "storage", "network"}}}, reference("library")}}};
  out["texts"] = one_of({text, list_of(text)});
  return out;
}

Json shape_of(const Field& field) {
  switch (field.shape) {
    case Shape::version: return {{"enum", {1}}};
    case Shape::text:
    case Shape::path: return {{"type", "string"}};
    case Shape::driver: return reference(field.choices.empty() ? "library" : "driver");
    case Shape::name: return reference("name");
    case Shape::integer: return {{"type", "integer"}, {"minimum", field.min}, {"maximum", field.max}};
    case Shape::real: return {{"type", "number"}};
    case Shape::boolean: return {{"type", "boolean"}};
    case Shape::choice: return {{"enum", field.choices}};
    case Shape::duration: return reference("duration");
    case Shape::pages:
    case Shape::size: return reference("size");
    case Shape::distribution: return reference("distribution");
    case Shape::service: return reference("service");
    case Shape::arrivals: return reference("arrivals");
    case Shape::request: return reference("request");
    case Shape::texts: return reference("texts");
    case Shape::warm_up: return {{"anyOf", {reference("duration"), {{"enum", {"auto"}}}}}};
    case Shape::figure:
      return pattern("a channel's figure", "^channel\\..+\\.(throughput|latency\\.(mean|p50|p90|p99|p999))$");
    case Shape::quantity: return {{"anyOf", {{{"type", "number"}}, {{"type", "string"}}}}};
    case Shape::values: return {{"type", "array"}, {"minItems", 1}};
    case Shape::range: {
      const Json any = {{"type", {"string", "number"}}};
      const Json number = {{"type", "number"}};
      return object({{"from", any}, {"to", any}, {"step", any}, {"factor", number}, {"log_steps", number}},
                    {"from", "to"});
    }
    case Shape::settings: return {{"type", "object"}, {"minProperties", 1}};
  }
  return {};
}

Json preset_of(const std::string& text) {
  const auto node = config::parse_toml_value(text);
  switch (node->kind) {
    case config::Node::Kind::text: return node->text;
    case config::Node::Kind::integer: return node->integer;
    case config::Node::Kind::real: return node->real;
    case config::Node::Kind::boolean: return node->boolean;
    default: return text;
  }
}

/// Makes one object of properties for each table it visits. A key that is required only beside another one, such as
/// machine.host, is not required here: a schema that refuses nothing a scenario may hold.
class JsonSchema final : public Visitor {
 public:
  JsonSchema() { open_.push_back(empty_object()); }
  Json take() { return std::move(open_.back()); }

  void value(const Field& field, const Parse&) override {
    Json property = shape_of(field);
    // Draft 4 ignores what stands beside a $ref.
    if (property.contains("$ref")) property = {{"allOf", Json::array({property})}};
    property["description"] = field.doc;
    if (field.preset) property["default"] = preset_of(*field.preset);
    add(field.key, std::move(property));
    if (field.required && always_required(field)) open_.back()["required"].push_back(field.key);
  }

  void table(const TableField& field, const std::function<void()>& inside) override {
    add(field.key, visited(field, inside));
  }

  void list(const TableField& field, bool, const std::function<void()>& each) override {
    add(field.key, list_of(visited(field, each)));
  }

  void entries(const TableField& field, const ParseEntry&) override {
    add(field.key, {{"type", "object"}, {"description", field.doc}});
  }

  bool has(const char*) const override { return false; }
  Place place() const override { return {}; }

 private:
  static Json empty_object() {
    return {{"type", "object"}, {"properties", Json::object()}, {"additionalProperties", false}};
  }

  /// Keys that depend on another key or on an include stay optional.
  static bool always_required(const Field& field) { return std::string_view(field.only_for).empty(); }

  Json visited(const TableField& field, const std::function<void()>& inside) {
    open_.push_back(empty_object());
    inside();
    Json out = std::move(open_.back());
    open_.pop_back();
    out["description"] = field.doc;
    return out;
  }

  void add(const char* key, Json property) { open_.back()["properties"][key] = std::move(property); }

  std::vector<Json> open_;
};

}  // namespace

std::string json_schema() {
  JsonSchema visitor;
  Scenario scenario;
  fields(visitor, scenario);
  Json root = {{"$schema", "http://json-schema.org/draft-04/schema#"}, {"title", "vmbsim scenario"}};
  root.update(visitor.take());
  root["properties"]["include"] = {{"type", "array"},
                                   {"items", {{"type", "string"}}},
                                   {"description", "Files this one is laid over, relative to it."}};
  // What an include may bring need not stand in the file itself.
  root.erase("required");
  root["definitions"] = definitions();
  return root.dump(2) + "\n";
}

}  // namespace vmbsim::scenario
