#include "async/event_loop.hpp"

#include <pthread.h>

namespace orch::async {

EventLoop::EventLoop() : work_(context_.get_executor()) {}

EventLoop::~EventLoop() {
    finish();
}

void EventLoop::start(std::string name) {
    thread_ = std::thread([this, name = std::move(name)] {
        pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
        context_.run();
    });
}

void EventLoop::finish() {
    work_.reset();
    if (thread_.joinable()) {
        thread_.join();
    }
}

void EventLoop::post(std::function<void()> work) {
    asio::post(context_, std::move(work));
}

bool EventLoop::on_this_thread() {
    return context_.get_executor().running_in_this_thread();
}

}  // namespace orch::async
