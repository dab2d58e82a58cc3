// SPDX-License-Identifier: Apache-2.0
//
// Random expressions over random records, against a model that knows nothing of keys, ranges or
// blocks: facts are lists of numbers and texts by field name, and an expression is evaluated as it
// was made, by recursion.
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <random>

#include "base/text.h"
#include "filter/filter.h"
#include "tests/support/filter_catalog.h"
#include "tests/support/scale.h"

namespace weir {
namespace {

using test::BlockWriter;
using test::filter_test_catalog;

// A number, or a text; an address is the text of its bits with its kind in front.
struct Scalar {
  int64_t number = 0;
  std::string text;
};
using Facts = std::map<std::string, std::vector<Scalar>, std::less<>>;
using Predicate = std::function<bool(const Scalar&)>;

struct Node {
  enum class Kind { kTerm, kNot, kAnd, kOr };
  Kind kind = Kind::kTerm;
  std::vector<std::unique_ptr<Node>> children;
  std::string field;
  std::string rest;  // operator and operands, as written
  bool is_presence = false;
  bool is_negated = false;  // !=
  Predicate accepts;
};

bool model_holds(const Node& node, const Facts& facts) {
  switch (node.kind) {
    case Node::Kind::kNot:
      return !model_holds(*node.children[0], facts);
    case Node::Kind::kAnd:
      for (const auto& child : node.children) {
        if (!model_holds(*child, facts)) return false;
      }
      return true;
    case Node::Kind::kOr:
      for (const auto& child : node.children) {
        if (model_holds(*child, facts)) return true;
      }
      return false;
    case Node::Kind::kTerm:
      break;
  }
  const auto found = facts.find(node.field);
  if (found == facts.end()) return false;
  if (node.is_presence && !node.accepts) return true;
  bool is_any = false;
  for (const Scalar& value : found->second) is_any = is_any || node.accepts(value);
  return node.is_negated ? !is_any : is_any;
}

constexpr int64_t kStartNs = 1'769'860'800'000'000'000;
constexpr int64_t kReferenceNs = kStartNs + 100'000'000'000;
constexpr uint64_t kNumbers[] = {0, 1, 2, 53, 255, 443, 1024, 2048, 65'535};
constexpr uint64_t kBigNumbers[] = {0, 1, 1024, 3 << 20, uint64_t{1} << 40, INT64_MAX / 2};
constexpr int64_t kSignedNumbers[] = {-2'147'483'648, -1, 0, 1, 1000, 2'147'483'647};
constexpr int64_t kDurations[] = {0, 1, 1'000'000, 1'500'000'000, 90'000'000'000};
constexpr std::string_view kTexts[] = {"", "a", "ab", "b.c", "A b", "and", "é\"\\", "\xff\x01\n"};
constexpr std::string_view kPatterns[] = {"^a", "b", "(?i)^A", "^$", "c$"};

struct Address {
  AddressKind kind;
  std::vector<uint8_t> bytes;
};
const std::vector<Address> kAddresses = {
    {AddressKind::kIpv4, {10, 0, 0, 1}},
    {AddressKind::kIpv4, {10, 0, 0, 2}},
    {AddressKind::kIpv4, {10, 128, 0, 2}},
    {AddressKind::kIpv4, {192, 0, 2, 255}},
    {AddressKind::kIpv6, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1}},
    {AddressKind::kIpv6, {0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}},
    {AddressKind::kIpv6, {0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0xff, 0, 0, 0, 0, 0, 0, 1}},
};

AddressBytes padded(const Address& address) {
  AddressBytes bytes{};
  std::ranges::copy(address.bytes, bytes.begin());
  return bytes;
}

std::string bits_of(const Address& address) {
  std::string bits = address.kind == AddressKind::kIpv4 ? "4" : "6";
  for (const uint8_t byte : address.bytes) {
    for (int bit = 7; bit >= 0; --bit) bits.push_back((byte >> bit & 1) != 0 ? '1' : '0');
  }
  return bits;
}

class Generator {
 public:
  explicit Generator(uint64_t seed) : random_(seed) {}

  void record(FlowRecord& record, Facts& facts);
  std::unique_ptr<Node> node(size_t depth);
  std::string written(const Node& node, int strength);
  size_t below(size_t count) { return random_() % count; }

 private:
  template <typename Pool>
  auto one_of(const Pool& pool) {
    return pool[below(std::size(pool))];
  }
  std::string gap() { return std::string(below(3), ' '); }
  std::string number_text(uint64_t number);
  std::string duration_text(int64_t ns);
  std::string time_text(int64_t ns);
  std::string text_text(std::string_view text);
  std::string address_text(const Address& address);
  std::unique_ptr<Node> term();
  void ordered(Node& node, const std::function<std::pair<int64_t, std::string>()>& literal);
  void text(Node& node);
  void word(Node& node, std::span<const std::string_view> words);
  void address(Node& node);

  std::mt19937_64 random_;
};

std::string Generator::number_text(uint64_t number) {
  std::string out;
  if (below(4) == 0) {
    out = "0x";
    append_hex(out, number, 16);
  } else if (number % 1024 == 512) {
    out = std::to_string(number / 1024) + ".5K";
  } else if (number % 1024 == 0 && number > 0) {
    out = std::to_string(number / 1024) + "K";
  } else {
    out = std::to_string(number);
  }
  return out;
}

std::string Generator::duration_text(int64_t ns) {
  if (below(3) == 0 && ns % 1'000'000 == 0) return std::to_string(ns / 1'000'000) + "ms";
  std::string out;
  if (below(3) > 0) return std::to_string(ns) + "ns";
  append_seconds(out, ns);
  return out + "s";
}

std::string Generator::time_text(int64_t ns) {
  const int64_t before = kReferenceNs - ns;
  if (below(2) == 0) return (before < 0 ? "+" : "-") + duration_text(before < 0 ? -before : before);
  std::string out;
  append_time(out, ns);
  return out;
}

std::string Generator::text_text(std::string_view text) {
  if (!text.empty() && text != "and" && text.find_first_not_of("ab.c") == std::string_view::npos &&
      below(2) == 0)
    return std::string(text);
  std::string out;
  append_quoted_text(out, text);
  return out;
}

std::string Generator::address_text(const Address& address) {
  std::string out;
  append_address(out, address.kind, padded(address));
  return out;
}

// Any comparison of a type with an order; `literal` makes a value and how it is written.
void Generator::ordered(Node& node,
                        const std::function<std::pair<int64_t, std::string>()>& literal) {
  const std::pair<int64_t, std::string> made = literal();
  const int64_t value = made.first;
  const std::string& text = made.second;
  switch (below(8)) {
    case 0:
      node.rest = "==" + gap() + text;
      node.accepts = [value](const Scalar& x) { return x.number == value; };
      return;
    case 1:
      node.rest = "!=" + gap() + text;
      node.is_negated = true;
      node.accepts = [value](const Scalar& x) { return x.number == value; };
      return;
    case 2:
      node.rest = "<" + gap() + text;
      node.accepts = [value](const Scalar& x) { return x.number < value; };
      return;
    case 3:
      node.rest = "<=" + gap() + text;
      node.accepts = [value](const Scalar& x) { return x.number <= value; };
      return;
    case 4:
      node.rest = ">" + gap() + text;
      node.accepts = [value](const Scalar& x) { return x.number > value; };
      return;
    case 5:
      node.rest = ">=" + gap() + text;
      node.accepts = [value](const Scalar& x) { return x.number >= value; };
      return;
    default:
      break;
  }
  std::vector<std::pair<int64_t, int64_t>> members;
  std::string set;
  for (size_t count = 1 + below(4); count > 0; --count) {
    auto [first, first_text] = literal();
    auto [last, last_text] = literal();
    if (last < first) std::swap(first, last), std::swap(first_text, last_text);
    const bool is_range = below(2) == 0;
    members.emplace_back(first, is_range ? last : first);
    set +=
        (set.empty() ? "" : "," + gap()) + first_text + (is_range ? ".." + last_text : "") + gap();
  }
  node.rest = "in" + gap() + "{" + gap() + set + "}";
  node.accepts = [members](const Scalar& x) {
    for (const auto& [first, last] : members) {
      if (first <= x.number && x.number <= last) return true;
    }
    return false;
  };
}

void Generator::text(Node& node) {
  const std::string_view value = one_of(kTexts);
  switch (below(5)) {
    case 0:
    case 1:
      node.is_negated = below(2) == 0;
      node.rest = (node.is_negated ? "!=" : "==") + gap() + text_text(value);
      node.accepts = [value](const Scalar& x) { return x.text == value; };
      return;
    case 2:
      node.rest = "contains " + text_text(value);
      node.accepts = [value](const Scalar& x) { return x.text.find(value) != std::string::npos; };
      return;
    case 3: {
      const size_t index = below(std::size(kPatterns));
      node.rest = "matches ";
      append_quoted_text(node.rest, kPatterns[index]);
      node.accepts = [index](const Scalar& x) {
        const std::string& t = x.text;
        switch (index) {
          case 0:
            return t.starts_with('a');
          case 1:
            return t.find('b') != std::string::npos;
          case 2:
            return t.starts_with('a') || t.starts_with('A');
          case 3:
            return t.empty();
          default:
            return t.ends_with('c');
        }
      };
      return;
    }
    default: {
      const std::vector<std::string_view> set = {value, one_of(kTexts), one_of(kTexts)};
      node.rest =
          "in {" + text_text(set[0]) + "," + text_text(set[1]) + "," + text_text(set[2]) + "}";
      node.accepts = [set](const Scalar& x) { return std::ranges::count(set, x.text) > 0; };
    }
  }
}

void Generator::word(Node& node, std::span<const std::string_view> words) {
  const std::string first(words[below(words.size())]);
  const std::string second(words[below(words.size())]);
  node.is_negated = below(3) == 0;
  if (node.is_negated || below(2) == 0) {
    node.rest = (node.is_negated ? "!= " : "== ") + first;
    node.accepts = [first](const Scalar& x) { return x.text == first; };
  } else {
    node.rest = "in {" + first + ", " + second + "}";
    node.accepts = [first, second](const Scalar& x) { return x.text == first || x.text == second; };
  }
}

void Generator::address(Node& node) {
  const Address first = one_of(kAddresses);
  const Address second = one_of(kAddresses);
  const std::string bits = bits_of(first);
  const std::string second_bits = bits_of(second);
  switch (below(4)) {
    case 0:
    case 1:
      node.is_negated = below(2) == 0;
      node.rest = (node.is_negated ? "!=" : "==") + gap() + address_text(first);
      node.accepts = [bits](const Scalar& x) { return x.text == bits; };
      return;
    case 2: {
      const size_t size = below(bits.size());
      const std::string network = bits.substr(0, size + 1);
      node.rest = "in {" + address_text(first) + "/" + std::to_string(size) + ", " +
                  address_text(second) + "}";
      node.accepts = [network, second_bits](const Scalar& x) {
        return x.text.starts_with(network) || x.text == second_bits;
      };
      return;
    }
    default: {
      const bool is_range = bits[0] == second_bits[0] && bits <= second_bits;
      node.rest = "in " + address_text(first) + (is_range ? ".." + address_text(second) : "/32");
      const std::string prefix = bits.substr(0, 33);
      node.accepts = [=](const Scalar& x) {
        if (!is_range) return x.text.starts_with(prefix);
        return x.text[0] == bits[0] && bits <= x.text && x.text <= second_bits;
      };
    }
  }
}

std::unique_ptr<Node> Generator::term() {
  auto node = std::make_unique<Node>();
  constexpr std::string_view kNumberFields[] = {"src_port",
                                                "dst_port",
                                                "port",
                                                "vlan",
                                                "dns.answers.ttl",
                                                "dns.question.type",
                                                "dns.answers.option.code"};
  constexpr std::string_view kBigFields[] = {"src_bytes", "bytes", "packets", "dns.queries"};
  constexpr std::string_view kTextFields[] = {"tls.sni", "tls.alpn", "dns.answers.name"};
  constexpr std::string_view kAddressFields[] = {"src_ip", "dst_ip", "ip", "dns.answers.data"};
  constexpr std::string_view kBoolFields[] = {"final", "tls.resumed", "modbus.write"};
  constexpr std::string_view kApps[] = {"tls", "dns", "modbus", "ftp-data", "unknown"};
  switch (below(10)) {
    case 0:
    case 1:
      node->field = one_of(kNumberFields);
      ordered(*node, [this] {
        const uint64_t number = one_of(kNumbers);
        return std::pair(static_cast<int64_t>(number), number_text(number));
      });
      break;
    case 2:
      node->field = one_of(kBigFields);
      ordered(*node, [this] {
        const uint64_t number = one_of(kBigNumbers);
        return std::pair(static_cast<int64_t>(number), number_text(number));
      });
      break;
    case 3:
      node->field = "uid";
      ordered(*node, [this] {
        const int64_t number = one_of(kSignedNumbers);
        return std::pair(number, std::to_string(number));
      });
      break;
    case 4:
      node->field = below(2) == 0 ? "rtt" : "dns.took";
      ordered(*node, [this] {
        const int64_t ns = one_of(kDurations);
        return std::pair(ns, duration_text(ns));
      });
      break;
    case 5:
      node->field = below(2) == 0 ? "first_seen" : "tls.not_after";
      ordered(*node, [this] {
        const int64_t ns = kStartNs + one_of(kDurations);
        return std::pair(ns, time_text(ns));
      });
      break;
    case 6:
      node->field = one_of(kTextFields);
      text(*node);
      break;
    case 7:
      node->field = one_of(kAddressFields);
      address(*node);
      break;
    case 8:
      node->field = below(2) == 0 ? "app" : "state";
      word(*node, node->field == "app" ? std::span<const std::string_view>(kApps)
                                       : std::span<const std::string_view>(kFlowStateWords));
      break;
    default:
      node->field = one_of(kBoolFields);
      node->accepts = [](const Scalar& x) { return x.number == 1; };
      if (below(3) == 0) {
        node->is_negated = true;
        node->rest = "!= true";
        return node;
      }
      break;
  }
  if (node->rest.empty() || below(6) == 0) {
    const bool is_bool = node->rest.empty();
    node->rest.clear();
    node->is_negated = false;
    node->is_presence = true;
    if (!is_bool) node->accepts = nullptr;
  }
  return node;
}

std::unique_ptr<Node> Generator::node(size_t depth) {
  if (depth == 0 || below(3) == 0) return term();
  auto result = std::make_unique<Node>();
  result->kind = static_cast<Node::Kind>(1 + below(3));
  const size_t count = result->kind == Node::Kind::kNot ? 1 : 2 + below(3);
  for (size_t index = 0; index < count; ++index) result->children.push_back(node(depth - 1));
  return result;
}

// With parentheses where they are needed, and sometimes where not. `strength` of the parent: 0 the
// outermost, 1 or, 2 and, 3 not.
std::string Generator::written(const Node& node, int strength) {
  std::string out;
  int own = 4;
  if (node.kind == Node::Kind::kTerm) {
    out = node.field + " " + gap() + node.rest;
  } else if (node.kind == Node::Kind::kNot) {
    own = 3;
    out = "not " + gap() + written(*node.children[0], 3);
  } else {
    const bool is_and = node.kind == Node::Kind::kAnd;
    own = is_and ? 2 : 1;
    for (const auto& child : node.children) {
      if (!out.empty()) out += is_and ? " and " : " or ";
      out += written(*child, own);
    }
  }
  const bool has_parentheses = own < strength || below(8) == 0;
  return has_parentheses ? "(" + gap() + out + gap() + ")" : out;
}

void Generator::record(FlowRecord& record, Facts& facts) {
  const auto fact = [&facts](std::string_view name, int64_t number) {
    facts[std::string(name)].push_back({number, {}});
  };
  const auto text_fact = [&facts](std::string_view name, std::string_view text) {
    facts[std::string(name)].push_back({0, std::string(text)});
  };
  record.is_final = below(2) == 0;
  fact("final", record.is_final ? 1 : 0);
  record.uid = static_cast<int32_t>(one_of(kSignedNumbers));
  fact("uid", record.uid);
  record.state = static_cast<FlowState>(below(kFlowStateCount));
  text_fact("state", flow_state_name(record.state));
  record.app = static_cast<uint8_t>(below(5));
  text_fact("app", filter_test_catalog().app_name(record.app));
  record.first_seen_ns = kStartNs + one_of(kDurations);
  fact("first_seen", record.first_seen_ns);
  if (below(2) == 0) fact("rtt", record.rtt_ns = one_of(kDurations));
  if (below(3) > 0) {
    const Address address = one_of(kAddresses);
    record.address_kind = address.kind;
    record.src.address = padded(address);
    text_fact("src_ip", bits_of(address));
    text_fact("ip", bits_of(address));
    Address other = one_of(kAddresses);
    while (other.kind != address.kind) other = one_of(kAddresses);
    record.dst.address = padded(other);
    text_fact("dst_ip", bits_of(other));
    text_fact("ip", bits_of(other));
  }
  if ((record.has_ports = below(3) > 0)) {
    fact("src_port", record.src.port = static_cast<uint16_t>(one_of(kNumbers)));
    fact("dst_port", record.dst.port = static_cast<uint16_t>(one_of(kNumbers)));
    facts["port"] = {facts["src_port"][0], facts["dst_port"][0]};
  }
  record.src.total = {one_of(kBigNumbers), one_of(kBigNumbers), 0, 0};
  record.dst.total = {one_of(kBigNumbers), one_of(kBigNumbers), 0, 0};
  fact("src_bytes", static_cast<int64_t>(record.src.total.bytes));
  fact("bytes", static_cast<int64_t>(record.src.total.bytes + record.dst.total.bytes));
  fact("packets", static_cast<int64_t>(record.src.total.packets + record.dst.total.packets));
  for (record.vlans.count = 0; record.vlans.count < below(4); ++record.vlans.count) {
    const auto id = static_cast<uint16_t>(one_of(kNumbers));
    record.vlans.ids[record.vlans.count] = id;
    fact("vlan", id);
  }

  const auto number_in = [&](BlockWriter& block, std::string_view name, uint64_t number) {
    block.number(name, number);
    fact(name, static_cast<int64_t>(number));
  };
  const auto text_in = [&](BlockWriter& block, std::string_view name) {
    const std::string_view text = one_of(kTexts);
    block.text(name, text);
    text_fact(name, text);
  };
  BlockWriter block;
  if (below(2) == 0) text_in(block, "tls.sni");
  for (size_t count = below(3); count > 0; --count) text_in(block, "tls.alpn");
  if (below(2) == 0) number_in(block, "tls.resumed", below(2));
  if (below(2) == 0)
    number_in(block, "tls.not_after", static_cast<uint64_t>(kStartNs + one_of(kDurations)));
  if (below(2) == 0) number_in(block, "dns.queries", one_of(kBigNumbers));
  if (below(2) == 0) number_in(block, "dns.took", static_cast<uint64_t>(one_of(kDurations)));
  for (size_t count = below(3); count > 0; --count) {
    BlockWriter answer;
    if (below(2) == 0) text_in(answer, "dns.answers.name");
    for (size_t addresses = below(3); addresses > 0; --addresses) {
      const Address address = one_of(kAddresses);
      answer.entry("dns.answers.data", address.bytes);
      text_fact("dns.answers.data", bits_of(address));
    }
    if (below(2) == 0) number_in(answer, "dns.answers.ttl", one_of(kNumbers));
    if (below(2) == 0) {
      BlockWriter option;
      if (below(2) == 0) number_in(option, "dns.answers.option.code", one_of(kNumbers));
      answer.object("dns.answers.option", option);
    }
    block.object("dns.answers", answer);
  }
  if (below(2) == 0) {
    BlockWriter question;
    number_in(question, "dns.question.type", one_of(kNumbers));
    block.object("dns.question", question);
  }
  for (size_t count = below(3); count > 0; --count) number_in(block, "modbus.write", below(2));
  record.attributes = AttributeBytes(block.block());
}

// Also: the canonical text is a filter with the same text and the same answers.
TEST(FilterModel, RandomExpressionsOverRandomRecords) {
  constexpr uint64_t kSeed = 20260131;
  Generator generator(kSeed);
  const FilterOptions options{.reference_ns = kReferenceNs};
  const RecordNames names{"eth0", &filter_test_catalog()};
  size_t true_count = 0;
  size_t answer_count = 0;
  for (int round = 0; round < static_cast<int>(20'000 / test::kScale); ++round) {
    const std::unique_ptr<Node> tree = generator.node(generator.below(4));
    const std::string text = generator.written(*tree, 0);
    SCOPED_TRACE("seed " + std::to_string(kSeed) + " round " + std::to_string(round) + ": " + text);
    FilterError error;
    const std::optional<Filter> filter = parse_filter(text, filter_test_catalog(), options, error);
    if (!filter && error.message.starts_with("too")) continue;  // long, or many patterns
    ASSERT_TRUE(filter.has_value()) << error.column << ": " << error.message;
    const std::optional<Filter> again =
        parse_filter(filter->text(), filter_test_catalog(), {}, error);
    ASSERT_TRUE(again.has_value()) << filter->text() << ": " << error.message;
    ASSERT_EQ(again->text(), filter->text());
    for (int repeat = 0; repeat < 8; ++repeat) {
      FlowRecord record;
      Facts facts;
      generator.record(record, facts);
      const bool expected = model_holds(*tree, facts);
      ASSERT_EQ(filter->matches(record, names), expected);
      ASSERT_EQ(again->matches(record, names), expected) << filter->text();
      true_count += expected ? 1 : 0;
      ++answer_count;
    }
  }
  EXPECT_GT(true_count, answer_count / 5) << "the answers say something";
  EXPECT_LT(true_count, answer_count * 4 / 5);
}

}  // namespace
}  // namespace weir
