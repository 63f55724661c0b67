#include "sim/hunt/words.hpp"

#include <algorithm>
#include <charconv>

namespace vmbsim::hunt {

namespace {

constexpr char digits[] = "0123456789abcdef";
constexpr std::size_t most_in_a_list = 1 << 24;

bool plain(char c) { return c > 0x20 && c < 0x7f && c != '%'; }

int value_of(char c) {
  const std::string_view all(digits, 16);
  const std::size_t at = all.find(c);
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

}  // namespace

Line& Line::add(std::string_view word) {
  if (!text_.empty()) text_ += ' ';
  if (word.empty()) text_ += '%';
  for (const char c : word) {
    if (plain(c)) {
      text_ += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    text_.append({'%', digits[byte >> 4], digits[byte & 15]});
  }
  return *this;
}

Line& Line::add(const explore::Deviations& list) {
  add(list.size());
  for (const explore::Deviation& one : list)
    add(one.index)
        .add(one.taken)
        .add(one.alternatives)
        .add(static_cast<unsigned>(one.point))
        .add(one.hash)
        .add(one.actor)
        .add(one.nth);
  return *this;
}

Line& Line::add(const Finding& finding) {
  return add(finding.rule)
      .add(static_cast<unsigned>(finding.severity))
      .add(static_cast<std::uint32_t>(finding.bug_check))
      .add(nanoseconds(finding.time))
      .add(finding.where)
      .add(finding.call)
      .add(finding.text)
      .add(finding.source);
}

std::string Reader::word() {
  if (bad_ || rest_.empty()) {
    bad_ = true;
    return {};
  }
  const std::size_t end = std::min(rest_.find(' '), rest_.size());
  const std::string_view raw = rest_.substr(0, end);
  rest_.remove_prefix(std::min(end + 1, rest_.size()));
  std::string word;
  if (raw == "%") return word;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] != '%') {
      bad_ = bad_ || !plain(raw[i]);
      word += raw[i];
      continue;
    }
    const int high = i + 1 < raw.size() ? value_of(raw[i + 1]) : -1;
    const int low = i + 2 < raw.size() ? value_of(raw[i + 2]) : -1;
    if (high < 0 || low < 0) {
      bad_ = true;
      return {};
    }
    word += static_cast<char>(high * 16 + low);
    i += 2;
  }
  bad_ = bad_ || raw.empty();
  return bad_ ? std::string{} : word;
}

std::uint64_t Reader::number() {
  const std::string text = word();
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  if (!bad_ && (text.empty() || std::from_chars(text.data(), end, number).ptr != end)) bad_ = true;
  return bad_ ? 0 : number;
}

std::size_t Reader::count(std::size_t most) {
  const std::uint64_t many = number();
  if (many > most) bad_ = true;
  return bad_ ? 0 : static_cast<std::size_t>(many);
}

Fingerprint Reader::digest() {
  const std::uint64_t high = number();
  return {high, number()};
}

explore::Deviations Reader::deviations() {
  explore::Deviations list;
  for (std::size_t left = count(most_in_a_list); left != 0 && !bad_; --left) {
    explore::Deviation one{};
    one.index = number();
    one.taken = static_cast<std::uint32_t>(number());
    one.alternatives = static_cast<std::uint32_t>(number());
    const std::uint64_t point = number();
    if (point >= kernel::choice_point_count) bad_ = true;
    one.point = static_cast<kernel::ChoicePoint>(point);
    one.hash = static_cast<std::uint16_t>(number());
    one.actor = static_cast<std::uint32_t>(number());
    one.nth = number();
    list.push_back(one);
  }
  return list;
}

Finding Reader::finding() {
  Finding finding;
  finding.rule = word();
  finding.severity = static_cast<Severity>(number());
  finding.bug_check = static_cast<BugCheck>(number());
  finding.time = SimTime{Duration{static_cast<std::int64_t>(number())}};
  finding.where = word();
  finding.call = word();
  finding.text = word();
  finding.source = word();
  return finding;
}

std::uint64_t checksum(std::string_view text) {
  std::uint64_t mixed = 0xcbf29ce484222325u;
  for (const char c : text) mixed = (mixed ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
  return mixed ^ (mixed >> 31);
}

std::string hexadecimal(std::uint64_t number) {
  std::string text;
  for (int shift = 60; shift >= 0; shift -= 4) text += digits[(number >> shift) & 15];
  return text;
}

}  // namespace vmbsim::hunt
