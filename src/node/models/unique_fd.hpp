#pragma once

#include <unistd.h>

#include <utility>

namespace orch::node::models {

// An open file, closed with the object.
class UniqueFd {
public:
    explicit UniqueFd(int number = -1) : number_(number) {}

    UniqueFd(UniqueFd&& other) noexcept : number_(std::exchange(other.number_, -1)) {}

    UniqueFd& operator=(UniqueFd&& other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }

    ~UniqueFd() {
        if (number_ >= 0) {
            ::close(number_);
        }
    }

    int get() const { return number_; }

    explicit operator bool() const { return number_ >= 0; }

private:
    int number_;
};

}  // namespace orch::node::models
