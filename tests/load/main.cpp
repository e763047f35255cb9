// fieldsync-load: a real server under load, and what it takes. Prints JSON; 1 where a bar is not met.
#include <openssl/ssl.h>
#include <sodium.h>

#include <CLI/CLI.hpp>
#include <functional>
#include <iostream>

#include "load/crowd.h"
#include "load/scenarios.h"

int main(int count, char** values) {
  using namespace fieldsync::load;
  if (sodium_init() < 0) return 1;
  raise_descriptor_limit();
  CLI::App app("fieldsync-load: a server under load.");
  app.require_subcommand(1);
  std::function<boost::json::object()> measure;

  IdleOptions idle;
  auto* idle_command = app.add_subcommand("idle", "memory of connections that wait");
  idle_command->add_option("--connections", idle.connections);
  idle_command->add_option("--kib-max", idle.kib_max);
  idle_command->add_option("--program", idle.program, "another server than the one that was built");
  idle_command->callback([&] { measure = [&] { return measure_idle(idle); }; });

  SlopeOptions slope;
  auto* slope_command = app.add_subcommand("slope", "whether memory, descriptors and threads grow");
  slope_command->add_option("--idle", slope.idle);
  slope_command->add_option("--active", slope.active);
  slope_command->add_option("--minutes", slope.minutes);
  slope_command->add_option("--warm-minutes", slope.warm_minutes);
  slope_command->add_option("--program", slope.program, "another server than the one that was built");
  slope_command->callback([&] { measure = [&] { return measure_slope(slope); }; });

  SlowOptions slow;
  auto* slow_command = app.add_subcommand("slow", "slow clients in five manners, beside healthy ones");
  slow_command->add_option("--clients", slow.clients);
  slow_command->add_option("--rounds", slow.rounds);
  slow_command->add_option("--program", slow.program, "another server than the one that was built");
  slow_command->callback([&] { measure = [&] { return measure_slow(slow); }; });

  app.add_subcommand("bombs", "small requests that want much")->callback([&] { measure = measure_bombs; });
  CLI11_PARSE(app, count, values);
  try {
    const boost::json::object measured = measure();
    std::cout << boost::json::serialize(measured) << std::endl;
    return measured.at("within").as_bool() ? 0 : 1;
  } catch (const std::exception& error) {
    std::cerr << "fieldsync-load: " << error.what() << "\n";
    return 1;
  }
}
