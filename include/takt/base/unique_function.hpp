// SPDX-License-Identifier: MIT
#pragma once
// Layer 0, base. std::move_only_function of C++23, as far as takt needs it. Below: nothing.

#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>

namespace takt {

template <class Signature>
class UniqueFunction;

/// Owns a callable that need not be copyable. Calling an empty one is undefined.
template <class R, class... Args>
class UniqueFunction<R(Args...)> {
  public:
    UniqueFunction() = default;
    UniqueFunction(std::nullptr_t) noexcept {}
    /// Throws std::bad_alloc, and what the move throws.
    template <class F>
    requires(!std::same_as<F, UniqueFunction> && std::is_invocable_r_v<R, F&, Args...>)
        UniqueFunction(F function)
        : call_(std::make_unique<Call<F>>(std::move(function))) {}

    explicit operator bool() const noexcept { return call_ != nullptr; }
    R operator()(Args... args) { return call_->run(std::forward<Args>(args)...); }

  private:
    struct CallBase {
        virtual ~CallBase() = default;
        virtual R run(Args... args) = 0;
    };
    template <class F>
    struct Call final : CallBase {
        explicit Call(F given) : function(std::move(given)) {}
        R run(Args... args) override { return function(std::forward<Args>(args)...); }
        F function;
    };
    std::unique_ptr<CallBase> call_;
};

} // namespace takt
