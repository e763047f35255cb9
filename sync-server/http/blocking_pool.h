// blocking_pool.h: the threads on which handlers run, and how many jobs wait for one.
#pragma once

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstddef>

namespace fieldsync::server {

class BlockingPool {
 public:
  explicit BlockingPool(std::size_t threads) : threads_(threads), pool_(threads) {}

  // `job` lives until it is done, in the frame of the caller, which goes on in its own executor.
  template <typename Outcome, typename Job>
  boost::asio::awaitable<Outcome> run(const Job& job) {
    const Counted counted(jobs_);
    const auto body = [&]() -> boost::asio::awaitable<Outcome> { co_return job(); };
    co_return co_await boost::asio::co_spawn(pool_.get_executor(), body, boost::asio::use_awaitable);
  }

  [[nodiscard]] std::size_t waiting() const {
    const std::size_t jobs = jobs_;
    return jobs > threads_ ? jobs - threads_ : 0;
  }

  void join() { pool_.join(); }

 private:
  class Counted {
   public:
    explicit Counted(std::atomic<std::size_t>& jobs) : jobs_(jobs) { ++jobs_; }
    ~Counted() { --jobs_; }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;

   private:
    std::atomic<std::size_t>& jobs_;
  };

  std::size_t threads_;
  std::atomic<std::size_t> jobs_ = 0;
  boost::asio::thread_pool pool_;
};

}  // namespace fieldsync::server
