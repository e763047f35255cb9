#include "edge/link.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>

#include "edge/tcp_packet.h"

namespace fieldsync::edge {
namespace {

constexpr int mtu = 1500;

int checked(int result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
  return result;
}

// Where this is not root's process already: root of a user namespace of its own.
void become_root() {
  if (::geteuid() == 0) return;
  const uid_t user = ::getuid();
  const gid_t group = ::getgid();
  checked(::unshare(CLONE_NEWUSER), "a user namespace");
  std::ofstream("/proc/self/setgroups") << "deny";
  std::ofstream("/proc/self/uid_map") << "0 " << user << " 1";
  std::ofstream("/proc/self/gid_map") << "0 " << group << " 1";
}

int open_namespace() { return checked(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), "the network namespace"); }

void set_address(int socket, ifreq& request, unsigned long what, const char* address) {
  auto* set = reinterpret_cast<sockaddr_in*>(&request.ifr_addr);
  *set = {};
  set->sin_family = AF_INET;
  ::inet_pton(AF_INET, address, &set->sin_addr);
  checked(::ioctl(socket, what, &request), "an address");
}

// In this process's namespace.
int make_interface(const char* own, const char* peer) {
  const int file = checked(::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC), "/dev/net/tun");
  ifreq request{};
  std::strcpy(request.ifr_name, "edge");
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  checked(::ioctl(file, TUNSETIFF, &request), "a TUN device");
  const int socket = checked(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "a socket");
  set_address(socket, request, SIOCSIFADDR, own);
  set_address(socket, request, SIOCSIFDSTADDR, peer);
  request.ifr_mtu = mtu;
  checked(::ioctl(socket, SIOCSIFMTU, &request), "the size of packets");
  for (const char* name : {"edge", "lo"}) {
    std::strcpy(request.ifr_name, name);
    checked(::ioctl(socket, SIOCGIFFLAGS, &request), "flags");
    request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP | IFF_RUNNING);
    checked(::ioctl(socket, SIOCSIFFLAGS, &request), "flags");
  }
  ::close(socket);
  return file;
}

// In this process's namespace.
void set_congestion_control(const std::string& name) {
  std::ofstream setting("/proc/sys/net/ipv4/tcp_congestion_control");
  if (!(setting << name << std::flush)) throw std::system_error(errno, std::generic_category(), "TCP's " + name);
}

}  // namespace

Namespaces::Namespaces(const std::string& congestion_control) {
  become_root();
  const int own = open_namespace();
  const std::array<const char*, 2> addresses{office_address, device_address};
  for (const Side side : {office, device}) {
    checked(::unshare(CLONE_NEWNET), "a network namespace");
    namespaces_[side] = open_namespace();
    interfaces_[side] = make_interface(addresses[side], addresses[1 - side]);
    if (!congestion_control.empty()) set_congestion_control(congestion_control);
  }
  checked(::setns(own, CLONE_NEWNET), "the namespace from before");
  ::close(own);
}

Namespaces::~Namespaces() {
  for (const int file : interfaces_) ::close(file);
  for (const int file : namespaces_) ::close(file);
}

pid_t Namespaces::start(Side side, const std::vector<std::string>& arguments) const {
  std::vector<char*> pointers;
  for (const std::string& argument : arguments) pointers.push_back(const_cast<char*>(argument.c_str()));
  pointers.push_back(nullptr);
  const pid_t process = checked(::fork(), "a process");
  if (process != 0) return process;
  if (::setns(namespaces_[side], CLONE_NEWNET) == 0) ::execv(pointers[0], pointers.data());
  ::_exit(127);
}

void Pipe::put(std::string packet, Clock::time_point now) {
  const bool is_lost = std::uniform_real_distribution<double>()(random_) < settings_.loss;
  if (is_lost && !settings_.lost_on_air) return;
  std::size_t waiting = 0;
  for (const UnderWay& one : under_way_) waiting += one.leaves > now ? one.packet.size() : 0;
  if (waiting + packet.size() > settings_.queue_bytes) return;
  const std::chrono::duration<double> takes(static_cast<double>(packet.size()) * 8 / settings_.bits_per_second);
  const auto leaves = std::max(now, free_) + std::chrono::duration_cast<Clock::duration>(takes);
  free_ = leaves;
  if (is_lost) return;
  under_way_.push_back({leaves, leaves + settings_.round_trip / 2, std::move(packet)});
}

Pipe::Clock::time_point Pipe::next() const {
  return under_way_.empty() ? Clock::time_point::max() : under_way_.front().arrives;
}

std::string Pipe::take() {
  std::string packet = std::move(under_way_.front().packet);
  under_way_.pop_front();
  return packet;
}

Link::Link(const Namespaces& namespaces, const LinkSettings& settings)
    : settings_(settings),
      ends_{namespaces.interface_of(Namespaces::office), namespaces.interface_of(Namespaces::device)},
      pipes_{Pipe(settings, settings.seed), Pipe(settings, settings.seed + 1)} {}

int Link::carry(pid_t process, const std::function<bool()>& watch) {
  std::array<pollfd, 2> polled{pollfd{ends_[0], POLLIN, 0}, pollfd{ends_[1], POLLIN, 0}};
  std::string buffer(mtu, '\0');
  while (true) {
    int status = 0;
    if (::waitpid(process, &status, WNOHANG) == process) return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
    if (!watch()) return -1;
    const auto now = Clock::now();
    if (reset_at_ && *reset_at_ <= now) reset_connections();
    const auto until = std::min({pipes_[0].next(), pipes_[1].next(), now + std::chrono::milliseconds(20)});
    const auto left = std::max(std::chrono::nanoseconds(0), std::chrono::nanoseconds(until - now));
    const timespec wait{0, left.count()};
    ::ppoll(polled.data(), polled.size(), &wait, nullptr);
    for (std::size_t from = 0; from < ends_.size(); ++from) {
      ssize_t got = 0;
      while ((got = ::read(ends_[from], buffer.data(), buffer.size())) > 0)
        take(from, buffer.substr(0, static_cast<std::size_t>(got)));
      while (pipes_[from].next() <= Clock::now()) {
        const std::string packet = pipes_[from].take();
        // A full interface drops it, as a radio would.
        static_cast<void>(::write(ends_[1 - from], packet.data(), packet.size()) < 0);
      }
    }
  }
}

void Link::take(std::size_t from, const std::string& packet) {
  note(from, packet);
  if (!reset_at_) pipes_[from].put(packet, Clock::now());
}

void Link::note(std::size_t from, const std::string& packet) {
  const auto tcp = tcp_of(packet);
  if (!tcp) return;
  const Connection connection = from == Namespaces::office ? Connection{tcp->source_port, tcp->destination_port}
                                                           : Connection{tcp->destination_port, tcp->source_port};
  if (tcp->has_acknowledgement) expected_[connection][from] = tcp->acknowledgement;
  if (from == Namespaces::office || tcp->payload_bytes == 0) return;
  const auto end = static_cast<std::uint32_t>(tcp->sequence + tcp->payload_bytes);
  std::uint32_t& known = sent_up_to_.try_emplace(connection, tcp->sequence).first->second;
  // Numbers wrap around.
  const auto fresh = std::clamp<std::int64_t>(static_cast<std::int32_t>(end - known), 0,
                                              static_cast<std::int64_t>(tcp->payload_bytes));
  payload_bytes_up_ += static_cast<std::uint64_t>(fresh);
  repeated_bytes_up_ += tcp->payload_bytes - static_cast<std::uint64_t>(fresh);
  if (fresh > 0) known = end;
}

void Link::cut() {
  pipes_ = {Pipe(settings_, settings_.seed), Pipe(settings_, settings_.seed + 1)};
  // What arrived is acknowledged within so long, and a reset must name exactly what comes next.
  reset_at_ = Clock::now() + std::chrono::milliseconds(300);
}

void Link::reset_connections() {
  const std::array<const char*, 2> addresses{office_address, device_address};
  for (const auto& [connection, expected] : expected_) {
    for (const std::size_t to : {std::size_t{Namespaces::office}, std::size_t{Namespaces::device}}) {
      const bool to_office = to == Namespaces::office;
      const std::string reset =
          reset_packet({addresses[1 - to], to_office ? connection.device_port : connection.office_port},
                       {addresses[to], to_office ? connection.office_port : connection.device_port}, expected[to]);
      static_cast<void>(::write(ends_[to], reset.data(), reset.size()) < 0);
    }
  }
  expected_.clear();
  reset_at_.reset();
}

}  // namespace fieldsync::edge
