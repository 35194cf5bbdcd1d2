// SPDX-License-Identifier: MIT
#pragma once
// A directory tree of small files that a test writes, reads as if it were "/", and leaves no trace
// of.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

namespace takt::test {

class Tree {
  public:
    Tree() {
        std::string pattern = (std::filesystem::temp_directory_path() / "takt-XXXXXX").string();
        if (!::mkdtemp(pattern.data()))
            throw std::runtime_error("no temporary directory");
        root_ = pattern;
    }
    ~Tree() {
        std::error_code ignored;
        std::filesystem::remove_all(root_, ignored);
    }
    Tree(const Tree&) = delete;
    Tree& operator=(const Tree&) = delete;

    /// Writes a file at an absolute path inside the tree; returns where it really is.
    std::string file(const std::string& path, const std::string& text) const {
        const std::string real = root_ + path;
        std::filesystem::create_directories(std::filesystem::path(real).parent_path());
        std::ofstream(real, std::ios::binary) << text;
        return real;
    }
    std::string directory(const std::string& path) const {
        std::filesystem::create_directories(root_ + path);
        return root_ + path;
    }
    const std::string& root() const { return root_; }

  private:
    std::string root_;
};

} // namespace takt::test
