// SPDX-License-Identifier: MIT
#pragma once
// Layer 9, shared table. The hash trie of one table: changed by any number of threads without locks,
// and cloned by one compare-and-swap. Knows keys, types and words; above: shared_table, which knows
// values. The proof and what was rejected: src/shared_table/TRIE.md.

#include "takt/shared_table/key.hpp"
#include "takt/shared_table/reclaim.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <string_view>
#include <utility>

namespace takt::table {

enum class Type : std::uint8_t { boolean, number, integer, actor, string, vector, table };

/// These are one word, which changes in place. The others' elements are replaced as a whole.
constexpr bool changes_in_place(Type type) noexcept {
    return type <= Type::actor;
}

/// An element's value as the trie keeps it.
struct Item {
    Type type = Type::boolean;
    std::uint64_t word = 0;      // the value, or for a table what P::hold_table() takes
    std::string_view bytes = {}; // string, vector

    bool operator==(const Item&) const = default;
};

// --- links ---------------------------------------------------------------------------------------
// What a slot holds: null, a leaf or a node, and marks.

inline constexpr Link kSealed = 1; // this slot never changes again
inline constexpr Link kOwned =
    2; // in an open slot: no other points there; what it holds may change
inline constexpr Link kLeaf = 4;
inline constexpr Link kMarks = kSealed | kOwned | kLeaf;

constexpr bool is_sealed(Link link) noexcept {
    return (link & kSealed) != 0;
}
constexpr bool is_owned(Link link) noexcept {
    return (link & kOwned) != 0;
}
constexpr bool is_null(Link link) noexcept {
    return (link & ~kMarks) == 0;
}
constexpr bool is_leaf(Link link) noexcept {
    return !is_null(link) && (link & kLeaf) != 0;
}
constexpr bool is_node(Link link) noexcept {
    return !is_null(link) && (link & kLeaf) == 0;
}
/// The same place as another slot may hold it: neither sealed nor owned.
constexpr Link shared(Link link) noexcept {
    return link & ~(kSealed | kOwned);
}

/// A place for a link. The operations of all threads on all slots and cells have one order, in which
/// each sees what those before it did (cross table).
template <class P>
class Slot {
  public:
    Slot() = default;
    explicit Slot(Link link) : link_(link) {}

    Link look() const noexcept {
        return link_.load(std::memory_order_seq_cst); // cross table, side B
    }
    bool try_replace(Link expected, Link desired) noexcept {
        // cross table, side A
        return link_.compare_exchange_strong(expected, desired, std::memory_order_seq_cst,
                                             std::memory_order_relaxed);
    }
    /// Its last link.
    Link seal() const noexcept {
        // cross table, side B: what is sealed cannot change, so that acquire is enough
        const Link found = link_.load(std::memory_order_acquire);
        if (is_sealed(found)) [[likely]]
            return found;
        // cross table, side B: it goes on the writer's release
        return link_.fetch_or(kSealed, std::memory_order_acquire) | kSealed;
    }
    /// Before the slot is published.
    void begin_with(Link link) noexcept {
        link_.store(link, std::memory_order_relaxed); // relaxed: nobody else sees it yet
    }
    /// When nobody else is at it: none that looks, none that changes it.
    Link last() const noexcept {
        return link_.load(std::memory_order_relaxed); // relaxed: the counts hand it over
    }

  private:
    // writes: who changes the table   reads: everybody
    mutable typename P::template Atomic<Link> link_{0};
};

/// How many slots, and snapshots, point at a node or a leaf.
template <class P>
class Count {
  public:
    /// The caller knows of one that stays meanwhile.
    void add() noexcept {
        count_.fetch_add(1, std::memory_order_relaxed); // relaxed: it hands nothing over
    }
    /// True when that was the last.
    bool remove() noexcept {
        return count_.fetch_sub(1, std::memory_order_acq_rel) == 1; // edge count, both sides
    }

  private:
    typename P::template Atomic<std::uint32_t> count_{1};
};

/// Whether `bytes` bytes, at least a Word's, are the same. The last word overlaps the one before it.
template <class Word>
bool same_words(const char* one, const char* other, std::size_t bytes) noexcept {
    const auto same = [one, other](std::size_t at) {
        Word of_one;
        Word of_other;
        std::memcpy(&of_one, one + at, sizeof(Word));
        std::memcpy(&of_other, other + at, sizeof(Word));
        return of_one == of_other;
    };
    const std::size_t last = bytes - sizeof(Word);
    std::size_t at = 0;
    while (at < last && same(at))
        at += sizeof(Word);
    return at >= last && same(last);
}
/// memcmp() == 0, inline: to call it takes as long as to compare a text as short as keys are.
inline bool same_bytes(const char* one, const char* other, std::size_t bytes) noexcept {
    if (bytes >= sizeof(std::uint64_t))
        return same_words<std::uint64_t>(one, other, bytes);
    if (bytes >= sizeof(std::uint32_t))
        return same_words<std::uint32_t>(one, other, bytes);
    return bytes == 0 || same_words<char>(one, other, bytes);
}

/// One element. Behind it lie the key's text and the value's bytes. All but the cell is constant.
template <class P>
class Leaf {
  public:
    static Leaf* make(const KeyView& key, const Item& item) {
        void* const memory = ::operator new(sizeof(Leaf) + key.text().size() + item.bytes.size());
        if (item.type == Type::table)
            P::hold_table(item.word);
        return new (memory) Leaf(key, item);
    }
    static void destroy(Leaf* leaf) noexcept {
        const Type type = leaf->type();
        const std::uint64_t word = leaf->cell_.value();
        leaf->~Leaf();
        ::operator delete(leaf);
        if (type == Type::table)
            P::drop_table(word);
    }

    Type type() const noexcept { return static_cast<Type>(cell_.constant() >> kTypeShift & 0xff); }
    KeyView key() const noexcept {
        const std::uint64_t constant = cell_.constant();
        const auto number = static_cast<std::uint32_t>(constant >> 32);
        const bool is_text = (constant & kTextBit) != 0;
        return {hash_, is_text, number, {text(), is_text ? number : 0}};
    }
    bool is_of(const KeyView& key) const noexcept {
        return hash_ == key.hash() && (cell_.constant() & ~kTypeBits) == constant_of(key) &&
               (key.is_index() || same_bytes(text(), key.text().data(), key.text().size()));
    }
    /// As it is now, or if somebody else's snapshot may hold it too, as it stays.
    Item item(bool owned) const noexcept {
        if (changes_in_place(type()))
            return {type(), owned ? cell_.value() : cell_.seal()};
        return {type(), cell_.value(), {text() + key().text().size(), bytes_}};
    }
    bool try_change(std::uint64_t expected, std::uint64_t desired) noexcept {
        return cell_.try_change(expected, desired);
    }
    /// False when it is not `item` any more.
    bool try_seal(const Item& item) noexcept {
        return !changes_in_place(item.type) || cell_.try_seal(item.word);
    }
    bool sealed() const noexcept { return cell_.sealed(); }
    std::size_t memory_bytes() const noexcept {
        return sizeof(Leaf) + key().text().size() + bytes_;
    }

    Count<P> count;

  private:
    static constexpr std::uint64_t kTextBit = 2;
    static constexpr int kTypeShift = 8;
    static constexpr std::uint64_t kTypeBits = 0xff << kTypeShift;

    Leaf(const KeyView& key, const Item& item) noexcept
        : bytes_(static_cast<std::uint32_t>(item.bytes.size())), hash_(key.hash()),
          cell_(item.word, constant_of(key) | static_cast<std::uint64_t>(item.type) << kTypeShift) {
        char* const behind = reinterpret_cast<char*>(this) + sizeof(Leaf);
        if (!key.text().empty())
            std::memcpy(behind, key.text().data(), key.text().size());
        if (!item.bytes.empty())
            std::memcpy(behind + key.text().size(), item.bytes.data(), item.bytes.size());
    }
    ~Leaf() = default;
    static std::uint64_t constant_of(const KeyView& key) noexcept {
        return (std::uint64_t{key.number()} << 32) | (key.is_index() ? 0 : kTextBit);
    }
    const char* text() const noexcept { return reinterpret_cast<const char*>(this) + sizeof(Leaf); }

    const std::uint32_t bytes_;
    const std::uint64_t hash_;
    mutable typename P::Cell cell_; // last, so that a text that is not long shares its cache line
};

template <class P>
struct Node {
    static constexpr unsigned kSlots = 1u << P::kDigitBits;
    Slot<P> slots[kSlots];
    Count<P> count;
};

/// Of a link to a leaf.
template <class P>
Leaf<P>* leaf_of(Link link) noexcept {
    return reinterpret_cast<Leaf<P>*>(link & ~kMarks);
}
/// Of a link to a node.
template <class P>
Node<P>* node_of(Link link) noexcept {
    return reinterpret_cast<Node<P>*>(link & ~kMarks);
}
template <class P>
Link link_to(const Leaf<P>* leaf) noexcept {
    return reinterpret_cast<Link>(leaf) | kLeaf;
}
template <class P>
Link link_to(const Node<P>* node) noexcept {
    return reinterpret_cast<Link>(node);
}

/// One more slot points there. Null is nothing.
template <class P>
void hold(Link link) noexcept {
    if (is_leaf(link))
        leaf_of<P>(link)->count.add();
    else if (is_node(link))
        node_of<P>(link)->count.add();
}
/// One less. The last takes what lies below along.
template <class P>
void drop(Link link) noexcept {
    if (is_leaf(link) && leaf_of<P>(link)->count.remove())
        Leaf<P>::destroy(leaf_of<P>(link));
    if (!is_node(link) || !node_of<P>(link)->count.remove())
        return;
    const std::unique_ptr<Node<P>> node(node_of<P>(link));
    for (const Slot<P>& slot : node->slots)
        drop<P>(slot.last());
}
/// What lies there and below, each slot sealed on the way: calls `at_leaf(leaf)`, `at_node()`.
/// `link` is held by the caller, or he is pinned, and it is nobody's own.
template <class P, class AtLeaf, class AtNode>
void walk(Link link, AtLeaf&& at_leaf, AtNode&& at_node) {
    if (is_leaf(link))
        at_leaf(*leaf_of<P>(link));
    if (!is_node(link))
        return;
    at_node();
    for (const Slot<P>& slot : node_of<P>(link)->slots)
        walk<P>(slot.seal(), at_leaf, at_node);
}

// --- the trie ------------------------------------------------------------------------------------

/// The content of a table at one moment. Keeps it; copies of it and walks through it are free of
/// waiting and of pins. The content of tables in it is not kept.
template <class P>
class Snapshot {
  public:
    Snapshot() = default;
    /// Takes over one count of `link`.
    explicit Snapshot(Link link) noexcept : content_(shared(link)) {}
    Snapshot(Snapshot&& other) noexcept : content_(std::exchange(other.content_, 0)) {}
    Snapshot& operator=(Snapshot&& other) noexcept {
        std::swap(content_, other.content_);
        return *this;
    }
    ~Snapshot() { drop<P>(content_); }

    Snapshot copy() const noexcept {
        hold<P>(content_);
        return Snapshot(content_);
    }
    /// f(KeyView, Item) for each element, in the order of the hashes.
    template <class F>
    void for_each(F&& f) const {
        walk<P>(
            content_, [&](const Leaf<P>& leaf) { f(leaf.key(), leaf.item(false)); }, [] {});
    }
    std::int64_t size() const noexcept {
        std::int64_t count = 0;
        walk<P>(
            content_, [&](const Leaf<P>&) { ++count; }, [] {});
        return count;
    }
    bool empty() const noexcept { return is_null(content_); }
    Link release() noexcept { return std::exchange(content_, 0); }

  private:
    Link content_ = 0;
};

/// What becomes of an element.
struct Decision {
    enum class What : std::uint8_t { keep, put, erase } what = What::keep;
    Item item = {};

    static Decision put(const Item& item) noexcept { return {What::put, item}; }
    static Decision erase() noexcept { return {What::erase}; }
};

/// | operation             | progress                                                      |
/// |-----------------------|---------------------------------------------------------------|
/// | find                  | wait-free but for a number that others change while it seals  |
/// | change, snapshot      | lock-free, but for memory                                     |
/// | clear                 | lock-free, in time that grows with the elements               |
/// | size                  | lock-free; the first of a clone walks through its elements    |
///
/// All by any number of threads at once, in a pin where a Reader is asked for. All but size() are
/// linearizable, all keys together; size() is exact when nobody changes the trie, and else off by
/// what is being changed.
///
/// Who follows links from the root is at home in a node as long as all links that led there are
/// owned. At home he changes slots and cells where they are. In all other nodes and leaves:
///
/// X1  He seals each slot and each cell before he relies on what it holds.
/// X2  He changes nothing there: he takes a copy home, and changes that.
/// X3  A sealed slot or cell never changes again; who finds his home sealed starts at the root.
/// X4  A leaf is sealed before another takes its place, or none does.
///
/// A snapshot takes kOwned from the root's link: from then on nobody who comes is at home in what it
/// holds. Who came before may still change what nobody has sealed, as if he had been faster.
template <class P>
class Trie {
  public:
    using Pinned = Reader<P>;

    Trie() = default;
    /// A clone. Of one that will not change its size, elements can be counted where they are.
    Trie(Snapshot<P> content, bool keeps_size) noexcept : keeps_size_(keeps_size) {
        if (!keeps_size)
            uncounted_.begin_with(content.copy().release());
        counted_.store(kUncounted, std::memory_order_relaxed); // relaxed: not published yet
        root_.begin_with(content.release());
    }
    ~Trie() { abandon(); }
    Trie(const Trie&) = delete;
    Trie& operator=(const Trie&) = delete;

    /// An element that was looked for.
    class Found {
      public:
        Found() = default;
        Found(const Leaf<P>* leaf, bool at_home) : leaf_(leaf), at_home_(at_home) {}
        explicit operator bool() const noexcept { return leaf_ != nullptr; }
        Item item() const noexcept { return leaf_->item(at_home_); }

      private:
        const Leaf<P>* leaf_ = nullptr;
        bool at_home_ = false;
    };
    /// In a pin, or where the trie does not change any more.
    Found find(const KeyView& key) const noexcept;

    /// decide(const Item* now) says what becomes of the element, null where there is none. It is
    /// called until its decision fits what is there by then; what it throws comes through, and
    /// nothing has changed.
    template <class Decide>
    void change(Pinned& me, const KeyView& key, Decide&& decide) {
        const Pin<P> pin(me);
        while (!try_change(me, key, decide)) {
        }
    }
    Snapshot<P> snapshot(Pinned& me) const noexcept;
    void clear(Pinned& me);
    std::size_t size(Pinned& me) const;
    /// Drops the content, and what was kept for size(), of one that nobody else knows.
    void abandon() noexcept {
        for (Slot<P>* slot : {&root_, &uncounted_}) {
            const Link link = shared(slot->last());
            slot->begin_with(0);
            drop<P>(link);
        }
    }

  private:
    static constexpr std::int64_t kUncounted = -1;

    template <class Decide>
    bool try_change(Pinned& me, const KeyView& key, Decide& decide);
    template <class Decide>
    bool try_insert(Slot<P>& slot, Link found, unsigned depth, const KeyView& key, Decide& decide);
    template <class Decide>
    bool try_change_leaf(Pinned& me, Slot<P>& slot, Link found, const KeyView& key, Decide& decide);
    [[gnu::noinline]] static void take_home(Pinned& me, Slot<P>& slot, Link found);
    static std::unique_ptr<Node<P>> copy(const Node<P>& node);
    static Link branch(Link old, Link fresh, unsigned depth);
    static void discard_branch(Link link) noexcept;
    static bool holds(Link link, const KeyView& key) noexcept {
        return is_leaf(link) && leaf_of<P>(link)->is_of(key);
    }
    static unsigned digit(const KeyView& key, unsigned depth) noexcept {
        return key.digit(depth * P::kDigitBits, P::kDigitBits);
    }
    std::int64_t count_clone(Pinned& me) const;
    void let_go_uncounted(Pinned& me) const noexcept;
    void count(std::int64_t change) noexcept {
        delta_.fetch_add(change, std::memory_order_relaxed); // relaxed: a number for size()
    }

    // root_: writes: who changes the table; snapshot   reads: everybody
    mutable Slot<P> root_;
    // A clone's size: the elements of uncounted_, or counted_ once somebody has counted them, and
    // what was inserted and erased since.
    // counted_: writes: who has counted, all the same   reads: size
    //   Hands nothing over; what empties uncounted_ hands it over.
    mutable typename P::template Atomic<std::int64_t> counted_{0};
    mutable Slot<P> uncounted_;
    const bool keeps_size_ = false;
    // delta_: writes: who inserts or erases   reads: size
    alignas(kCacheLine) typename P::template Atomic<std::int64_t> delta_{0};
};

template <class P>
typename Trie<P>::Found Trie<P>::find(const KeyView& key) const noexcept {
    Link link = root_.look();
    bool at_home = is_owned(link);
    for (unsigned depth = 0; is_node(link); ++depth) {
        const Slot<P>& slot = node_of<P>(link)->slots[digit(key, depth)];
        link = at_home ? slot.look() : slot.seal(); // (X1)
        at_home = at_home && is_owned(link);
    }
    return holds(link, key) ? Found(leaf_of<P>(link), at_home) : Found();
}

// Each slot that it comes to is at home: the root's is, and so is one in an owned node.
template <class P>
template <class Decide>
bool Trie<P>::try_change(Pinned& me, const KeyView& key, Decide& decide) {
    Slot<P>* slot = &root_;
    for (unsigned depth = 0;; ++depth) {
        Link found = slot->look();
        if (is_sealed(found)) [[unlikely]]
            return false; // (X3)
        if (is_node(found)) {
            if (!is_owned(found)) [[unlikely]] {
                take_home(me, *slot, found); // (X2)
                return false;
            }
            slot = &node_of<P>(found)->slots[digit(key, depth)];
            continue;
        }
        return holds(found, key) ? try_change_leaf(me, *slot, found, key, decide)
                                 : try_insert(*slot, found, depth, key, decide);
    }
}

// `found`: null, or the leaf of another key.
template <class P>
template <class Decide>
bool Trie<P>::try_insert(Slot<P>& slot, Link found, unsigned depth, const KeyView& key,
                         Decide& decide) {
    const Decision decision = decide(static_cast<const Item*>(nullptr));
    if (decision.what != Decision::What::put)
        return true;
    struct Fresh { // until it is in the trie
        ~Fresh() { drop<P>(link); }
        Link link;
    } fresh{link_to(Leaf<P>::make(key, decision.item))};
    const Link link = is_null(found) ? fresh.link : branch(found, fresh.link | kOwned, depth);
    if (!slot.try_replace(found, link | kOwned)) {
        discard_branch(link);
        return false;
    }
    fresh.link = 0;
    count(+1);
    return true;
}

template <class P>
template <class Decide>
bool Trie<P>::try_change_leaf(Pinned& me, Slot<P>& slot, Link found, const KeyView& key,
                              Decide& decide) {
    Leaf<P>& leaf = *leaf_of<P>(found);
    const bool at_home = is_owned(found);
    const Item now = leaf.item(at_home); // (X1)
    const Decision decision = decide(&now);
    if (decision.what == Decision::What::keep)
        return true;
    const bool put = decision.what == Decision::What::put;
    if (put && at_home && decision.item.type == now.type && changes_in_place(now.type)) {
        if (leaf.try_change(now.word, decision.item.word)) [[likely]]
            return true;
        if (!leaf.sealed())
            return false; // another number by now
    }
    me.reserve();
    const Link fresh = put ? link_to(Leaf<P>::make(key, decision.item)) | kOwned : 0;
    if (!leaf.try_seal(now) || !slot.try_replace(found, fresh)) { // (X4)
        drop<P>(fresh);
        return false;
    }
    me.retire(shared(found), leaf.memory_bytes());
    if (!put)
        count(-1);
    return true;
}

// A node that others hold too becomes the caller's own: its copy. One without elements becomes null.
// If somebody else was faster, it is done as well.
template <class P>
void Trie<P>::take_home(Pinned& me, Slot<P>& slot, Link found) {
    me.reserve();
    std::unique_ptr<Node<P>> mine = copy(*node_of<P>(found));
    const Link link = mine == nullptr ? 0 : link_to(mine.release()) | kOwned;
    if (slot.try_replace(found, link))
        me.retire(shared(found), sizeof(Node<P>));
    else
        drop<P>(link);
}

template <class P>
std::unique_ptr<Node<P>> Trie<P>::copy(const Node<P>& node) {
    auto mine = std::make_unique<Node<P>>();
    bool empty = true;
    for (unsigned at = 0; at < Node<P>::kSlots; ++at) {
        const Link link = shared(node.slots[at].seal()); // (X1)
        if (is_null(link))
            continue;
        hold<P>(link);
        mine->slots[at].begin_with(link);
        empty = false;
    }
    return empty ? nullptr : std::move(mine);
}

// Nodes from `depth` on to where the keys of the two leaves differ. `old` goes along as it is.
template <class P>
Link Trie<P>::branch(Link old, Link fresh, unsigned depth) {
    const unsigned at = digit(leaf_of<P>(fresh)->key(), depth);
    const unsigned old_at = digit(leaf_of<P>(old)->key(), depth);
    auto node = std::make_unique<Node<P>>();
    if (at == old_at) {
        node->slots[at].begin_with(branch(old, fresh, depth + 1) | kOwned);
    } else {
        node->slots[old_at].begin_with(old);
        node->slots[at].begin_with(fresh);
    }
    return link_to(node.release());
}

// The nodes that branch() made, and not the leaves.
template <class P>
void Trie<P>::discard_branch(Link link) noexcept {
    if (!is_node(link))
        return;
    const std::unique_ptr<Node<P>> node(node_of<P>(link));
    for (const Slot<P>& slot : node->slots)
        discard_branch(slot.last());
}

template <class P>
Snapshot<P> Trie<P>::snapshot(Pinned& me) const noexcept {
    const Pin<P> pin(me);
    Link link = root_.look();
    while (is_owned(link) && !root_.try_replace(link, shared(link)))
        link = root_.look();
    hold<P>(link);
    return Snapshot<P>(link);
}

// Elements that others still insert into what is taken out come before the clear, and are counted:
// the walk seals it. A clone lets go of what it has kept to count.
template <class P>
void Trie<P>::clear(Pinned& me) {
    static_cast<void>(size(me));
    const Pin<P> pin(me);
    me.reserve();
    Link link = root_.look();
    while (!is_null(link) && !root_.try_replace(link, 0))
        link = root_.look();
    std::int64_t elements = 0;
    std::size_t bytes = 0;
    walk<P>(
        shared(link),
        [&](const Leaf<P>& leaf) {
            ++elements;
            bytes += leaf.memory_bytes();
        },
        [&] { bytes += sizeof(Node<P>); });
    if (!is_null(link))
        me.retire(shared(link), bytes);
    count(-elements);
}

template <class P>
std::size_t Trie<P>::size(Pinned& me) const {
    // relaxed: numbers that hand nothing over, and the second may be old
    std::int64_t counted = counted_.load(std::memory_order_relaxed);
    if (counted == kUncounted)
        counted = count_clone(me);
    // relaxed: the same
    const std::int64_t size = counted + delta_.load(std::memory_order_relaxed);
    return size < 0 ? 0 : static_cast<std::size_t>(size);
}

// All that count count the same. The content is held, so that a long count keeps no memory waiting.
template <class P>
std::int64_t Trie<P>::count_clone(Pinned& me) const {
    const auto content = [&] {
        const Pin<P> pin(me);
        const Link link = shared(keeps_size_ ? root_.look() : uncounted_.look());
        hold<P>(link);
        return Snapshot<P>(link);
    }();
    if (content.empty() && !keeps_size_) { // it was empty, or somebody else has just counted
        // relaxed: that uncounted_ is empty hands it over
        const std::int64_t counted = counted_.load(std::memory_order_relaxed);
        return counted == kUncounted ? 0 : counted;
    }
    const std::int64_t counted = content.size();
    const Pin<P> pin(me);
    me.reserve();
    // relaxed: uncounted_, which is emptied next, hands it over
    counted_.store(counted, std::memory_order_relaxed);
    if (!keeps_size_)
        let_go_uncounted(me);
    return counted;
}

// In a pin, after reserve().
template <class P>
void Trie<P>::let_go_uncounted(Pinned& me) const noexcept {
    const Link link = uncounted_.look();
    if (!is_null(link) && uncounted_.try_replace(link, 0))
        me.retire(link, sizeof(Node<P>)); // what of the rest is garbage is not known
}

} // namespace takt::table
