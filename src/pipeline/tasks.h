// A small pool of worker threads. The thread that waits for a result works along.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace orbwatch::pipeline {

class Tasks {
 public:
  // `helpers` threads beside the caller's; 0 is fine: then everything runs in wait().
  explicit Tasks(int helpers);
  ~Tasks();  // drops tasks that have not begun, waits for those that have

  void add(std::function<void()> task);
  // Runs tasks until ready() is true; sleeps if there is none to run. ready() is called under the pool's lock: keep it
  // short.
  void wait(const std::function<bool()>& ready);
  // Wakes waiters: to be called after something that ready() looks at has changed, without holding locks that ready()
  // takes.
  void notify();
  std::mutex& mutex() { return mutex_; }

 private:
  void work();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;
  bool stop_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace orbwatch::pipeline
