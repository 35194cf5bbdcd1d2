// SPDX-License-Identifier: MIT
#include "hit_validation/wad.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>
#include <stdexcept>
#include <string_view>

namespace example {
namespace {

// Bytes of a record of each lump, and of a name.
constexpr std::size_t kThingBytes = 10;
constexpr std::size_t kLineBytes = 14;
constexpr std::size_t kSideBytes = 30;
constexpr std::size_t kVertexBytes = 4;
constexpr std::size_t kSectorBytes = 26;
constexpr std::size_t kEntryBytes = 16;
constexpr std::size_t kNameBytes = 8;
constexpr std::size_t kLumpsOfMap = 10;
constexpr std::uint16_t kNoSide = 0xffff;

[[noreturn]] void damaged(const std::string& what) {
    throw std::runtime_error("the WAD is damaged: " + what +
                             ". Install package freedoom again, or "
                             "name another file with --wad.");
}

/// A part of the file; little-endian numbers, and no byte beyond its end.
class Bytes {
  public:
    explicit Bytes(std::string_view bytes) : bytes_(bytes) {}

    std::size_t size() const noexcept { return bytes_.size(); }
    Bytes part(std::size_t at, std::size_t count) const {
        if (at > bytes_.size() || count > bytes_.size() - at)
            damaged("it ends too early");
        return Bytes(bytes_.substr(at, count));
    }
    std::uint16_t u16(std::size_t at) const {
        const std::string_view two = part(at, 2).bytes_;
        return static_cast<std::uint16_t>(static_cast<unsigned char>(two[0]) |
                                          static_cast<unsigned char>(two[1]) << 8);
    }
    float coordinate(std::size_t at) const { return static_cast<std::int16_t>(u16(at)); }
    std::size_t u32(std::size_t at) const { return u16(at) | std::size_t{u16(at + 2)} << 16; }
    std::string name(std::size_t at) const {
        const std::string_view name = part(at, kNameBytes).bytes_;
        return std::string(name.substr(0, name.find('\0')));
    }

  private:
    std::string_view bytes_;
};

/// What each record of a lump is.
template <class T, class Read>
std::vector<T> records(Bytes lump, std::size_t record_bytes, Read read) {
    std::vector<T> all;
    for (std::size_t at = 0; at + record_bytes <= lump.size(); at += record_bytes)
        all.push_back(read(lump.part(at, record_bytes)));
    return all;
}

template <class T>
const T& item(const std::vector<T>& all, std::size_t number) {
    if (number >= all.size())
        damaged("a line names what is not there");
    return all[number];
}

std::string read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file)
        throw std::runtime_error("there is no level, " + path +
                                 " cannot be read. apt-get install "
                                 "freedoom, or name another WAD with --wad.");
    return std::string(std::istreambuf_iterator<char>(file), {});
}

/// The lumps that belong to one map follow the one that has its name.
class MapLumps {
  public:
    MapLumps(Bytes wad, const std::string& map) : wad_(wad) {
        const std::size_t entries = wad.u32(4);
        directory_ = wad.part(wad.u32(8), entries * kEntryBytes);
        while (first_ < entries && name_of(first_) != map)
            ++first_;
        if (first_ + kLumpsOfMap >= entries)
            throw std::runtime_error("the WAD has no map " + map +
                                     ". Name another with --map, E1M1 for example.");
    }
    Bytes lump(const std::string& name) const {
        for (std::size_t entry = first_ + 1; entry <= first_ + kLumpsOfMap; ++entry)
            if (name_of(entry) == name)
                return wad_.part(directory_.u32(entry * kEntryBytes),
                                 directory_.u32(entry * kEntryBytes + 4));
        damaged("the map has no " + name);
    }

  private:
    std::string name_of(std::size_t entry) const {
        return directory_.name(entry * kEntryBytes + 8);
    }

    Bytes wad_;
    Bytes directory_{""};
    std::size_t first_ = 0;
};

MapThing thing_of(Bytes record) {
    return {record.coordinate(0), record.coordinate(2), record.u16(6)};
}

MapSector sector_of(Bytes record) {
    return {record.coordinate(0), record.coordinate(2), record.name(12) == "F_SKY1"};
}

std::vector<MapLine> lines_of(const MapLumps& lumps, std::size_t sectors) {
    const auto vertices =
        records<MapVertex>(lumps.lump("VERTEXES"), kVertexBytes, [](Bytes record) {
            return MapVertex{record.coordinate(0), record.coordinate(2)};
        });
    const auto sides = records<int>(lumps.lump("SIDEDEFS"), kSideBytes, [&](Bytes record) {
        if (record.u16(28) >= sectors)
            damaged("a side is of no sector");
        return int{record.u16(28)};
    });
    const auto sector_beside = [&](std::uint16_t side) {
        return side == kNoSide ? -1 : item(sides, side);
    };
    return records<MapLine>(lumps.lump("LINEDEFS"), kLineBytes, [&](Bytes record) {
        return MapLine{item(vertices, record.u16(0)), item(vertices, record.u16(2)),
                       sector_beside(record.u16(10)), sector_beside(record.u16(12))};
    });
}

void add_wall(std::vector<Quad>& walls, const MapLine& line, float low, float high) {
    if (high > low)
        walls.push_back({{{line.from.x, line.from.y, low},
                          {line.to.x, line.to.y, low},
                          {line.to.x, line.to.y, high},
                          {line.from.x, line.from.y, high}}});
}

} // namespace

bool MapThing::is_monster() const noexcept {
    // Zombies, sergeants, imps, demons, spectres, lost souls, cacodemons, barons.
    static constexpr std::array kMonsters{3004, 9, 3001, 3002, 58, 3006, 3005, 3003};
    return std::ranges::find(kMonsters, type) != kMonsters.end();
}

int Map::sector_at(float x, float y) const {
    // The first line to the east; the point is on the side of it that faces west.
    float nearest = std::numeric_limits<float>::max();
    int sector = -1;
    for (const MapLine& line : lines) {
        const bool rises = line.from.y < line.to.y;
        if ((line.from.y <= y) == (line.to.y <= y))
            continue;
        const float share = (y - line.from.y) / (line.to.y - line.from.y);
        const float east = line.from.x + share * (line.to.x - line.from.x) - x;
        if (east < 0 || east >= nearest)
            continue;
        nearest = east;
        sector = rises ? line.left : line.right;
    }
    return sector;
}

Map read_map(const std::string& wad, const std::string& name) {
    const std::string file = read_file(wad);
    const Bytes bytes(file);
    if (bytes.size() < 12 || (file.substr(0, 4) != "IWAD" && file.substr(0, 4) != "PWAD"))
        throw std::runtime_error(wad + " is no WAD. Name another file with --wad.");
    const MapLumps lumps(bytes, name);
    Map map;
    map.sectors = records<MapSector>(lumps.lump("SECTORS"), kSectorBytes, sector_of);
    map.lines = lines_of(lumps, map.sectors.size());
    map.things = records<MapThing>(lumps.lump("THINGS"), kThingBytes, thing_of);
    return map;
}

std::vector<Quad> walls_of(const Map& map) {
    std::vector<Quad> walls;
    for (const MapLine& line : map.lines) {
        if (line.right < 0)
            continue;
        const MapSector& right = map.sectors[static_cast<std::size_t>(line.right)];
        if (line.left < 0) {
            add_wall(walls, line, right.floor, right.ceiling);
            continue;
        }
        const MapSector& left = map.sectors[static_cast<std::size_t>(line.left)];
        add_wall(walls, line, std::min(right.floor, left.floor), std::max(right.floor, left.floor));
        if (!right.sky || !left.sky) // between two skies there is nothing
            add_wall(walls, line, std::min(right.ceiling, left.ceiling),
                     std::max(right.ceiling, left.ceiling));
    }
    return walls;
}

} // namespace example
