// SPDX-License-Identifier: MIT
#pragma once
// Layer 9, shared table. The table that users have: a handle whose elements all threads may read and
// change at once. Below: trie.

#include "takt/shared_table/key.hpp"
#include "takt/shared_table/trie.hpp"

#include "takt/actor.hpp"
#include "takt/phase.hpp"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

namespace takt {

class SharedTable;

/// What an element may be.
using Value = std::variant<bool, double, std::int64_t, std::string, Vector3, ActorRef, SharedTable>;

namespace detail {

struct TableCore;
using table::Item;

template <class T>
concept IntegerValue = std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char> &&
                       (sizeof(T) < sizeof(std::int64_t) ||
                        (std::signed_integral<T> && sizeof(T) == sizeof(std::int64_t)));
template <class T>
concept NumberValue = IntegerValue<T> || std::floating_point<T>;
template <class T>
inline constexpr bool is_value =
    std::same_as<T, bool> || std::same_as<T, double> || std::same_as<T, std::int64_t> ||
    std::same_as<T, std::string> || std::same_as<T, Vector3> || std::same_as<T, ActorRef> ||
    std::same_as<T, SharedTable>;
template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

/// Refuses a write in the parallel phase of a runtime in which nothing may depend on timing.
/// Wait-free: one thread-local read.
inline void require_table_write(const char* member) {
    const Context* const here = current_context();
    if (here != nullptr && here->phase == Phase::parallel && here->is_reproducible) [[unlikely]]
        check_failed(
            member, Level::read_parallel,
            "With next_round delivery nothing may depend on timing: write shared tables from "
            "the serial phase, for example by commit(), or choose Delivery::immediate");
}

/// f of update(), whatever its type; `f` points to a pointer to it.
struct Updater {
    void* f;
    std::optional<Value> (*call)(void* f, const std::optional<Value>& now);
};
/// f of for_each(), in the same way.
struct Visitor {
    void* f;
    void (*call)(void* f, const KeyView& key, const Value& value);
};

} // namespace detail

/// A table of elements, key -> value, that any number of threads share: in both phases, and from
/// outside. Copies of a SharedTable are the same table; it lives as long as one of them, or a table
/// that it is in. Two tables are never equal, whatever is in them. A handle that was moved from may be
/// assigned to, and destroyed.
///
/// Keys are strings and indices from 0 to 2^32 - 1 (KeyView). Values are bool, double, std::int64_t
/// (and what fits into it), std::string, Vector3, ActorRef and SharedTable.
///
/// | operation                                | progress                                       |
/// |------------------------------------------|------------------------------------------------|
/// | get, contains, is_frozen                 | lock-free; never waits for a writer            |
/// | set, erase, increment, update            | lock-free, but for memory                      |
/// | clone, clone_and_freeze, for_each        | lock-free; the shallow clone in constant time  |
/// | clear, size                              | lock-free; may walk through the elements       |
///
/// Each is atomic, and all threads see all of them in one order (linearizable), except that size()
/// may be old, and a deep clone is atomic for each table by itself. A handle itself is like an int:
/// not to be assigned by one thread while another uses it.
///
/// Errors: a write to a frozen table, get<T>() of another type, increment() of what is no such
/// number, a string of 4 GiB. They are takt::Error with key and type, and nothing has changed. All but
/// is_frozen() may throw std::bad_alloc, with the same effect: none. With next_round delivery a write
/// in the parallel phase raises PhaseError; a table may be made there, with its elements.
class SharedTable {
  public:
    struct Entry;

    /// An empty table.
    SharedTable();
    /// With these elements; of those with one key the last. `{{"gold", 5}, {"bag", {{"apples", 2}}}}`
    SharedTable(std::initializer_list<Entry> entries);
    SharedTable(const SharedTable& other) noexcept;
    SharedTable(SharedTable&& other) noexcept : core_(std::exchange(other.core_, nullptr)) {}
    SharedTable& operator=(SharedTable other) noexcept {
        std::swap(core_, other.core_);
        return *this;
    }
    /// The last handle takes the elements along: in time that grows with their number.
    ~SharedTable();

    /// The element, or nothing.
    std::optional<Value> get(const KeyView& key) const;
    /// The element, or nothing where there is none. Throws takt::Error when it has another type.
    template <class T>
    std::optional<T> get(const KeyView& key) const {
        static_assert(detail::is_value<T>,
                      "takt: an element of a SharedTable is a bool, double, std::int64_t, "
                      "std::string, Vector3, ActorRef or SharedTable: get<T> takes one of these");
        // The optional is made here, in registers: one made in memory, in parts, is slow to load.
        T value = nothing<T>();
        return read(key, value) ? std::optional<T>(std::move(value)) : std::nullopt;
    }
    bool contains(const KeyView& key) const;

    /// Numbers become std::int64_t or double, texts std::string.
    template <class T>
    void set(const KeyView& key, const T& value) {
        put(key, item_of(value));
    }
    /// True when there was one.
    bool erase(const KeyView& key);

    /// Adds `by` to an element, and answers what it was. An integer wraps around. Throws takt::Error
    /// when there is no such element, or it is not of the type of `by`: std::int64_t or double.
    /// Where the table was not cloned since the element's last change, this allocates nothing.
    template <detail::NumberValue T>
    auto increment(const KeyView& key, T by) {
        if constexpr (std::floating_point<T>)
            return increment_double(key, static_cast<double>(by));
        else
            return increment_integer(key, static_cast<std::int64_t>(by));
    }

    /// Replaces the element by f(const std::optional<Value>& now), which returns a value, or std::nullopt to
    /// erase it, or an std::optional of either. f is called again when the element is another by then,
    /// so it should have no effects; what it throws comes through, and nothing has changed. f may look
    /// at this table, clone it, and write other elements; if it writes this one, update() never ends.
    template <class F>
    void update(const KeyView& key, F&& f) {
        using Called = std::remove_reference_t<F>;
        const auto call = [](void* given, const std::optional<Value>& now) -> std::optional<Value> {
            Called& called = **static_cast<Called**>(given);
            if constexpr (std::same_as<decltype(called(now)), std::optional<Value>>)
                return called(now);
            else
                return result_of(called(now));
        };
        Called* called = std::addressof(f);
        update_by(key, {&called, call});
    }

    /// How many elements. Exact when nobody writes, and else off by what is being written. Of a clone
    /// the first call walks through its elements.
    std::size_t size() const;
    /// Erases all, at one moment.
    void clear();

    /// f(const KeyView& key, const Value& value) for each element of one moment, in no defined order.
    /// f may do with this table what it likes, also clear it. Costs a clone().
    template <class F>
    void for_each(F&& f) const {
        using Called = std::remove_reference_t<F>;
        const auto call = [](void* given, const KeyView& key, const Value& value) {
            (**static_cast<Called**>(given))(key, value);
        };
        Called* called = std::addressof(f);
        visit({&called, call});
    }

    /// A new table with the elements of one moment. Shallow: tables in it are the same. Deep: they are
    /// cloned too, each at a moment of its own; one that is met twice has one clone. The new table
    /// shares memory with this one until either changes. Never frozen.
    SharedTable clone(bool deep = false) const;
    /// The same, and nobody can change it: its elements are read without a pin. Deep: nor the
    /// tables in it.
    SharedTable clone_and_freeze(bool deep = false) const;
    bool is_frozen() const noexcept;

    bool operator==(const SharedTable& other) const noexcept { return core_ == other.core_; }

  private:
    friend detail::TableCore;
    explicit SharedTable(detail::TableCore* core) noexcept : core_(core) {}

    template <class T>
    bool read(const KeyView& key, T& value) const;
    template <class T>
    static T nothing() {
        if constexpr (std::same_as<T, SharedTable>)
            return SharedTable(static_cast<detail::TableCore*>(nullptr));
        else
            return T();
    }
    void put(const KeyView& key, const table::Item& item);
    void fill(const KeyView& key, const table::Item& item); // while nobody else has it
    std::int64_t increment_integer(const KeyView& key, std::int64_t by);
    double increment_double(const KeyView& key, double by);
    void update_by(const KeyView& key, detail::Updater updater);
    void visit(detail::Visitor visitor) const;

    template <class T>
    static table::Item item_of(const T& value);
    template <class R>
    static std::optional<Value> result_of(R&& result);

    detail::TableCore* core_; // counted; null once it was moved from
};

/// One element of an initializer list: a value, or the elements of a table.
struct SharedTable::Entry {
    template <class T>
    Entry(const KeyView& its_key, const T& its_value);
    Entry(const KeyView& its_key, std::initializer_list<Entry> table)
        : key(its_key), value(SharedTable(table)) {}

    KeyView key;
    Value value;
};

/// Bytes that were taken out of shared tables by all threads of the process, and wait for those who
/// may still be looking at them; about, and for statistics.
std::size_t shared_table_garbage_bytes() noexcept;
/// Drops what the calling thread has taken out, as far as nobody can look at it any more. Happens by
/// itself as garbage gathers; for moments at which there is time.
void reclaim_shared_tables() noexcept;

// --- definitions ---------------------------------------------------------------------------------

namespace detail {

/// T as one of Value's types; does not compile, with a sentence, for what is none.
template <class T>
auto as_value(const T& value) {
    if constexpr (is_value<T>)
        return value;
    else if constexpr (IntegerValue<T>)
        return static_cast<std::int64_t>(value);
    else if constexpr (std::floating_point<T>)
        return static_cast<double>(value);
    else if constexpr (TextLike<T>)
        return std::string(std::string_view(value));
    else
        static_assert(is_value<T>,
                      "takt: an element of a SharedTable is a bool, double, std::int64_t, "
                      "std::string, Vector3, ActorRef or SharedTable, or converts to one of these "
                      "without loss");
}

table::Item item_of_table(TableCore* core) noexcept;
table::Item item_of_vector(const Vector3& vector) noexcept;
table::Item item_of(const Value& value);

} // namespace detail

template <class T>
SharedTable::Entry::Entry(const KeyView& its_key, const T& its_value)
    : key(its_key), value(detail::as_value(its_value)) {}

template <class T>
table::Item SharedTable::item_of(const T& value) {
    using table::Type;
    if constexpr (std::same_as<T, Value>)
        return detail::item_of(value);
    else if constexpr (std::same_as<T, bool>)
        return {Type::boolean, value ? 1u : 0u, {}};
    else if constexpr (detail::IntegerValue<T>)
        return {Type::integer, static_cast<std::uint64_t>(static_cast<std::int64_t>(value)), {}};
    else if constexpr (std::floating_point<T>)
        return {Type::number, std::bit_cast<std::uint64_t>(static_cast<double>(value)), {}};
    else if constexpr (std::same_as<T, ActorRef>)
        return {Type::actor, value.address(), {}};
    else if constexpr (std::same_as<T, SharedTable>)
        return detail::item_of_table(value.core_);
    else if constexpr (std::same_as<T, Vector3>)
        return detail::item_of_vector(value);
    else if constexpr (detail::TextLike<T>)
        return {Type::string, 0, std::string_view(value)};
    else
        return detail::as_value(value); // says why not
}

template <class R>
std::optional<Value> SharedTable::result_of(R&& result) {
    using Result = std::remove_cvref_t<R>;
    if constexpr (std::same_as<Result, std::nullopt_t>) {
        return std::nullopt;
    } else if constexpr (std::same_as<Result, Value>) {
        return std::forward<R>(result);
    } else if constexpr (detail::is_optional<Result>) {
        if (!result)
            return std::nullopt;
        return result_of(*std::forward<R>(result));
    } else {
        return std::optional<Value>(detail::as_value(result));
    }
}

} // namespace takt
