// fieldsync-http-heads: prints generated heads, each with what the gate says of it, for another parser to
// read: a byte (a: lets it through, r: refuses it, m: waits for more), how many bytes follow (4,
// the least first), and these: of a head that is let through, no more than it.
#include <CLI/CLI.hpp>
#include <iostream>

#include "http/header_gate.h"
#include "http_gate/generator.h"

using namespace fieldsync;

int main(int count, char** values) {
  CLI::App app{"Prints generated heads of requests, and what the header gate says of each."};
  std::uint64_t seed = 1;
  std::uint64_t heads = 100'000;
  app.add_option("--seed", seed)->capture_default_str();
  app.add_option("--count", heads)->capture_default_str();
  CLI11_PARSE(app, count, values);
  http_gate::Generator generator(seed);
  for (std::uint64_t i = 0; i < heads; ++i) {
    std::string head = generator.head();
    server::HeaderGate gate;
    const auto looked = gate.look(head);
    if (looked && *looked) head.resize(**looked);
    std::string out(1, !looked ? 'r' : *looked ? 'a' : 'm');
    for (int byte = 0; byte < 4; ++byte) out += static_cast<char>(head.size() >> (8 * byte));
    std::cout << out << head;
  }
  return 0;
}
