// SPDX-License-Identifier: MIT
#pragma once
// Layer 10, runtime. Something for each worker, so that parallel code need not share it. Below:
// runtime.

#include "takt/runtime/runtime.hpp"

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace takt {

/// One T for each worker, lines apart. In the parallel phase each worker has its own; in the serial
/// phase the frame thread may use all of them.
///
///     takt::PerWorker<Histogram> latencies(runtime);
///     latencies.local().add(ns);                           // in a parallel handler
///     for (Histogram& part : latencies) total += part;     // in the serial phase
template <class T>
class PerWorker {
    struct alignas(kInterference) Place {
        T value;
    };

  public:
    explicit PerWorker(const Runtime& runtime) : PerWorker(runtime, [](int) { return T(); }) {}
    /// `make(worker)` makes each.
    template <class Make>
    PerWorker(const Runtime& runtime, Make make) {
        places_.reserve(static_cast<std::size_t>(runtime.workers()));
        for (int worker = 0; worker < runtime.workers(); ++worker)
            places_.push_back(std::make_unique<Place>(Place{make(worker)}));
    }

    /// The calling worker's; the first one's in the serial phase. PhaseError outside. Wait-free.
    T& local() {
        const auto worker =
            static_cast<std::size_t>(detail::need_actor_context("takt::PerWorker::local").worker);
        return places_[worker]->value;
    }

    class Iterator {
      public:
        explicit Iterator(std::unique_ptr<Place>* at) noexcept : at_(at) {}
        T& operator*() const noexcept { return (*at_)->value; }
        Iterator& operator++() noexcept {
            ++at_;
            return *this;
        }
        bool operator==(const Iterator&) const noexcept = default;

      private:
        std::unique_ptr<Place>* at_;
    };
    Iterator begin() {
        require_serial("takt::PerWorker::begin");
        return Iterator(places_.data());
    }
    Iterator end() noexcept { return Iterator(places_.data() + places_.size()); }

  private:
    std::vector<std::unique_ptr<Place>> places_;
};

} // namespace takt
