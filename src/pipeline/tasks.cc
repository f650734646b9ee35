#include "pipeline/tasks.h"

#include <utility>

namespace orbwatch::pipeline {

Tasks::Tasks(int helpers) {
  for (int i = 0; i < helpers; ++i) threads_.emplace_back([this] { work(); });
}

Tasks::~Tasks() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
    tasks_.clear();
  }
  changed_.notify_all();
  for (std::thread& t : threads_) t.join();
}

void Tasks::add(std::function<void()> task) {
  {
    std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  changed_.notify_one();
}

void Tasks::notify() {
  {
    std::lock_guard lock(mutex_);
  }
  changed_.notify_all();
}

void Tasks::wait(const std::function<bool()>& ready) {
  std::unique_lock lock(mutex_);
  while (!ready()) {
    if (!tasks_.empty()) {
      std::function<void()> task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task();
      lock.lock();
    } else {
      changed_.wait(lock);
    }
  }
}

void Tasks::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return stop_ || !tasks_.empty(); });
    if (stop_) return;
    std::function<void()> task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    task();
    lock.lock();
  }
}

}  // namespace orbwatch::pipeline
