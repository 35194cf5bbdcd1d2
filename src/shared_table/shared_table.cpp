// SPDX-License-Identifier: MIT
#include "takt/shared_table/shared_table.hpp"

#include "shared_table/core.hpp"

#include <bit>
#include <cstring>
#include <unordered_map>
#include <vector>

namespace takt {
namespace {

using detail::TableCore;
using detail::TablePolicy;
using table::Decision;
using table::Item;
using table::Type;
using Pin = table::Pin<TablePolicy>;

TableCore* core_in(const Item& item) noexcept {
    return reinterpret_cast<TableCore*>(item.word);
}

constexpr const char* name_of(Type type) noexcept {
    switch (type) {
    case Type::boolean:
        return "bool";
    case Type::number:
        return "double";
    case Type::integer:
        return "std::int64_t";
    case Type::actor:
        return "ActorRef";
    case Type::string:
        return "std::string";
    case Type::vector:
        return "Vector3";
    case Type::table:
        return "SharedTable";
    }
    return "";
}

template <class T>
struct Read; // an element of type T

template <>
struct Read<bool> {
    static constexpr Type kType = Type::boolean;
    static bool from(const Item& item) noexcept { return item.word != 0; }
};
template <>
struct Read<double> {
    static constexpr Type kType = Type::number;
    static double from(const Item& item) noexcept { return std::bit_cast<double>(item.word); }
};
template <>
struct Read<std::int64_t> {
    static constexpr Type kType = Type::integer;
    static std::int64_t from(const Item& item) noexcept {
        return static_cast<std::int64_t>(item.word);
    }
};
template <>
struct Read<ActorRef> {
    static constexpr Type kType = Type::actor;
    static ActorRef from(const Item& item) noexcept { return ActorRef::from_address(item.word); }
};
template <>
struct Read<std::string> {
    static constexpr Type kType = Type::string;
    static std::string from(const Item& item) { return std::string(item.bytes); }
};
template <>
struct Read<Vector3> {
    static constexpr Type kType = Type::vector;
    static Vector3 from(const Item& item) noexcept {
        Vector3 vector;
        std::memcpy(&vector, item.bytes.data(), sizeof(vector));
        return vector;
    }
};
template <>
struct Read<SharedTable> {
    static constexpr Type kType = Type::table;
    static SharedTable from(const Item& item) noexcept { return TableCore::handle(core_in(item)); }
};

Value value_of(const Item& item) {
    switch (item.type) {
    case Type::boolean:
        return Read<bool>::from(item);
    case Type::number:
        return Read<double>::from(item);
    case Type::integer:
        return Read<std::int64_t>::from(item);
    case Type::actor:
        return Read<ActorRef>::from(item);
    case Type::string:
        return Read<std::string>::from(item);
    case Type::vector:
        return Read<Vector3>::from(item);
    case Type::table:
        break;
    }
    return Read<SharedTable>::from(item);
}

std::string shown(const Item& item) {
    switch (item.type) {
    case Type::boolean:
        return item.word != 0 ? "true" : "false";
    case Type::number:
        return std::to_string(Read<double>::from(item));
    case Type::integer:
        return std::to_string(Read<std::int64_t>::from(item));
    case Type::string:
        return std::string(item.bytes);
    default:
        return name_of(item.type);
    }
}

std::string element(const KeyView& key) {
    return "shared_table[" + key.shown() + "]";
}

[[noreturn, gnu::cold]] void refuse_type(const KeyView& key, const Item& item, Type asked) {
    throw Error(element(key), shown(item),
                std::string("it is a ") + name_of(item.type) + ", and get<" + name_of(asked) +
                    "> was asked for",
                std::string("ask for ") + name_of(item.type) + ", or use get() without a type");
}

[[noreturn, gnu::cold]] void refuse_increment(const KeyView& key, const Item* item, Type by) {
    if (item == nullptr)
        throw Error(element(key), "nothing",
                    std::string("there is no element to increment by a ") + name_of(by),
                    "set() it first, or use update()");
    throw Error(element(key), shown(*item),
                std::string("it is a ") + name_of(item->type) +
                    ", and cannot be incremented by a " + name_of(by),
                "increment an element by a number of its own type");
}

[[noreturn, gnu::cold]] void refuse_write(const std::string& what, const char* operation) {
    throw Error(what, operation, "the table is frozen and never changes",
                "clone() gives a table that can be changed");
}

// An element has less than 4 GiB of bytes, and a table in it is one.
void require_fits(const KeyView& key, const Item& item) {
    if (item.bytes.size() > UINT32_MAX) [[unlikely]]
        throw Error(element(key), std::to_string(item.bytes.size()) + " bytes",
                    "a string in a shared table has less than 2^32 bytes",
                    "split it into several elements");
    if (item.type == Type::table && item.word == 0) [[unlikely]]
        throw Error(element(key), "a SharedTable that was moved from",
                    "there is no table in it any more", "copy the handle instead of moving it");
}

// The trie that `core` has, for a write.
auto& writable(TableCore* core, const KeyView& key, const char* operation) {
    if (core->frozen) [[unlikely]]
        refuse_write(element(key), operation);
    return core->trie;
}

// read(found), where found.item() stays meanwhile. A frozen table never lets go of what it holds: no
// pin.
template <class Read>
auto find(const TableCore& core, const KeyView& key, Read read) {
    if (core.frozen)
        return read(core.trie.find(key));
    const Pin pin(detail::this_reader());
    return read(core.trie.find(key));
}

detail::Snapshot snapshot_of(const TableCore& core) {
    return core.trie.snapshot(detail::this_reader());
}

// A number and how numbers of its type are added.
std::uint64_t sum(Type type, std::uint64_t one, std::uint64_t other) noexcept {
    if (type == Type::integer)
        return one + other;
    return std::bit_cast<std::uint64_t>(std::bit_cast<double>(one) + std::bit_cast<double>(other));
}

std::uint64_t add_to(TableCore* core, const KeyView& key, Type type, std::uint64_t by) {
    std::uint64_t old = 0;
    detail::require_table_write("takt::SharedTable::increment");
    writable(core, key, "increment").change(detail::this_reader(), key, [&](const Item* now) {
        if (now == nullptr || now->type != type) [[unlikely]]
            refuse_increment(key, now, type);
        old = now->word;
        return Decision::put({type, sum(type, old, by), {}});
    });
    return old;
}

} // namespace

namespace detail {

Item item_of_table(TableCore* core) noexcept {
    return {Type::table, reinterpret_cast<std::uint64_t>(core), {}};
}

Item item_of_vector(const Vector3& vector) noexcept {
    static_assert(std::is_trivially_copyable_v<Vector3>);
    return {Type::vector, 0, {reinterpret_cast<const char*>(&vector), sizeof(vector)}};
}

Item item_of(const Value& value) {
    struct ToItem {
        Item operator()(bool it) const noexcept { return {Type::boolean, it ? 1u : 0u, {}}; }
        Item operator()(double it) const noexcept {
            return {Type::number, std::bit_cast<std::uint64_t>(it), {}};
        }
        Item operator()(std::int64_t it) const noexcept {
            return {Type::integer, static_cast<std::uint64_t>(it), {}};
        }
        Item operator()(const std::string& it) const noexcept { return {Type::string, 0, it}; }
        Item operator()(const Vector3& it) const noexcept { return item_of_vector(it); }
        Item operator()(ActorRef it) const noexcept { return {Type::actor, it.address(), {}}; }
        Item operator()(const SharedTable& it) const noexcept {
            return item_of_table(TableCore::find(it));
        }
    };
    return std::visit(ToItem(), value);
}

} // namespace detail

SharedTable::SharedTable() : SharedTable(TableCore::make({}, false)) {}

SharedTable::SharedTable(std::initializer_list<Entry> entries) : SharedTable() {
    for (const Entry& entry : entries)
        fill(entry.key, item_of(entry.value));
}

SharedTable::SharedTable(const SharedTable& other) noexcept : core_(other.core_) {
    if (core_ != nullptr)
        core_->hold();
}

SharedTable::~SharedTable() {
    if (core_ != nullptr)
        core_->drop();
}

std::optional<Value> SharedTable::get(const KeyView& key) const {
    return find(*core_, key, [](auto found) {
        return found ? std::optional<Value>(value_of(found.item())) : std::nullopt;
    });
}

template <class T>
bool SharedTable::read(const KeyView& key, T& value) const {
    return find(*core_, key, [&](auto found) {
        if (!found)
            return false;
        const Item item = found.item();
        if (item.type != Read<T>::kType) [[unlikely]]
            refuse_type(key, item, Read<T>::kType);
        value = Read<T>::from(item);
        return true;
    });
}
template bool SharedTable::read(const KeyView& key, bool& value) const;
template bool SharedTable::read(const KeyView& key, double& value) const;
template bool SharedTable::read(const KeyView& key, std::int64_t& value) const;
template bool SharedTable::read(const KeyView& key, std::string& value) const;
template bool SharedTable::read(const KeyView& key, Vector3& value) const;
template bool SharedTable::read(const KeyView& key, ActorRef& value) const;
template bool SharedTable::read(const KeyView& key, SharedTable& value) const;

bool SharedTable::contains(const KeyView& key) const {
    return find(*core_, key, [](auto found) { return static_cast<bool>(found); });
}

void SharedTable::put(const KeyView& key, const Item& item) {
    detail::require_table_write("takt::SharedTable::set");
    fill(key, item);
}

void SharedTable::fill(const KeyView& key, const Item& item) {
    auto& trie = writable(core_, key, "set");
    require_fits(key, item);
    trie.change(detail::this_reader(), key, [&](const Item*) { return Decision::put(item); });
}

bool SharedTable::erase(const KeyView& key) {
    detail::require_table_write("takt::SharedTable::erase");
    bool was_there = false;
    writable(core_, key, "erase").change(detail::this_reader(), key, [&](const Item* now) {
        was_there = now != nullptr;
        return Decision::erase();
    });
    return was_there;
}

std::int64_t SharedTable::increment_integer(const KeyView& key, std::int64_t by) {
    return static_cast<std::int64_t>(
        add_to(core_, key, Type::integer, static_cast<std::uint64_t>(by)));
}

double SharedTable::increment_double(const KeyView& key, double by) {
    return std::bit_cast<double>(
        add_to(core_, key, Type::number, std::bit_cast<std::uint64_t>(by)));
}

void SharedTable::update_by(const KeyView& key, detail::Updater updater) {
    detail::require_table_write("takt::SharedTable::update");
    auto& trie = writable(core_, key, "update");
    const detail::LateBurial late; // f may drop the last handle of this table
    std::optional<Value> given;    // kept, so that no other table gets the address of one in it
    std::optional<Item> given_item;
    std::optional<Value> result; // the decision's bytes lie in it
    bool asked = false;
    trie.change(detail::this_reader(), key, [&](const Item* now) {
        const std::optional<Item> item = now == nullptr ? std::nullopt : std::optional<Item>(*now);
        // What f has answered stays answered: a clone that f makes has this tried again, for ever.
        if (!asked || item != given_item) {
            given = now == nullptr ? std::nullopt : std::optional<Value>(value_of(*now));
            given_item = item;
            result = updater.call(updater.f, given);
            asked = true;
            if (result)
                require_fits(key, detail::item_of(*result));
        }
        return result ? Decision::put(detail::item_of(*result)) : Decision::erase();
    });
}

std::size_t SharedTable::size() const {
    return core_->trie.size(detail::this_reader());
}

void SharedTable::clear() {
    detail::require_table_write("takt::SharedTable::clear");
    if (core_->frozen)
        refuse_write("shared_table", "clear");
    core_->trie.clear(detail::this_reader());
}

void SharedTable::visit(detail::Visitor visitor) const {
    snapshot_of(*core_).for_each([&](const KeyView& key, const Item& item) {
        visitor.call(visitor.f, key, value_of(item));
    });
}

namespace {

// Clones of all tables that can be reached, each of one moment. Nobody else knows them until all
// are done; only then are they frozen.
class DeepClone {
  public:
    explicit DeepClone(bool freeze) : freeze_(freeze) {}

    SharedTable run(TableCore& first) {
        try {
            return run_all(first);
        } catch (...) { // clones that contain each other would stay for ever
            for (auto& [original, clone] : clones_)
                TableCore::of(clone).trie.abandon();
            throw;
        }
    }

  private:
    SharedTable run_all(TableCore& first) {
        SharedTable whole = clone_of(first);
        while (!open_.empty()) {
            TableCore& next = *open_.back();
            open_.pop_back();
            redirect(next);
        }
        for (auto& [original, clone] : clones_)
            TableCore::of(clone).frozen = freeze_;
        return whole;
    }
    SharedTable clone_of(TableCore& original) {
        if (const auto found = clones_.find(&original); found != clones_.end())
            return found->second;
        SharedTable clone = TableCore::make(snapshot_of(original), freeze_);
        TableCore::of(clone).frozen = false;
        originals_.push_back(TableCore::handle(&original));
        open_.push_back(&TableCore::of(clone));
        clones_.emplace(&original, clone);
        return clone;
    }
    // The tables in it become their clones.
    void redirect(TableCore& clone) {
        snapshot_of(clone).for_each([&](const KeyView& key, const Item& item) {
            if (item.type != Type::table)
                return;
            const SharedTable inner = clone_of(*core_in(item));
            clone.trie.change(detail::this_reader(), key, [&](const Item*) {
                return Decision::put(detail::item_of_table(&TableCore::of(inner)));
            });
        });
        // Counted now: until then it keeps its first content, and so the tables that were cloned.
        static_cast<void>(clone.trie.size(detail::this_reader()));
    }

    const bool freeze_;
    std::unordered_map<TableCore*, SharedTable> clones_;
    std::vector<SharedTable> originals_; // held, so that no other table gets the address of one
    std::vector<TableCore*> open_;       // clones with tables in them that are not cloned yet
};

} // namespace

SharedTable SharedTable::clone(bool deep) const {
    return deep ? DeepClone(false).run(*core_) : TableCore::make(snapshot_of(*core_), false);
}

SharedTable SharedTable::clone_and_freeze(bool deep) const {
    return deep ? DeepClone(true).run(*core_) : TableCore::make(snapshot_of(*core_), true);
}

bool SharedTable::is_frozen() const noexcept {
    return core_->frozen;
}

std::size_t shared_table_garbage_bytes() noexcept {
    return detail::garbage_bytes();
}

void reclaim_shared_tables() noexcept {
    try {
        detail::this_reader().reclaim();
    } catch (const std::bad_alloc&) {
        return; // this thread has taken out nothing yet, and cannot begin now
    }
}

} // namespace takt
