// SPDX-License-Identifier: MIT
#pragma once
// A simple reader of headers: which functions of namespace takt, and which public members of its
// classes, a header declares. Good for how this repository is written, not for all of C++.

#include <algorithm>
#include <cctype>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace takt::testing_support {

/// One pass over a header's text.
class HeaderReader {
  public:
    /// "Class::member" and "function"; without constructors, assignment, comparison, what is deleted,
    /// and what lies in another namespace, takt::detail for example.
    std::set<std::string> read(const std::string& text) {
        const std::string code = code_of(text);
        for (std::size_t at = 0; at < code.size(); ++at)
            take(code, at);
        return std::move(members_);
    }

  private:
    struct Scope {
        enum Kind { space, type, other } kind;
        std::string name;
        bool is_public;
    };

    static std::string code_of(std::string text) {
        static const std::regex noise(
            R"re(//[^\n]*|^[ \t]*#[^\n]*|R"\([^]*?\)"|"(\\.|[^"\\\n])*"|'(\\.|[^'\\\n])')re",
            std::regex::ECMAScript | std::regex::multiline | std::regex::optimize);
        return std::regex_replace(text, noise, " ");
    }

    void take(const std::string& code, std::size_t at) {
        const char letter = code[at];
        if (letter == '(' || letter == ')')
            parentheses_ += letter == '(' ? 1 : -1;
        if (parentheses_ != 0 && !is_inside_code()) {
            head_ += letter; // a default argument may have braces
        } else if (letter == '{') {
            open();
        } else if (letter == '}') {
            if (!scopes_.empty())
                scopes_.pop_back();
            head_.clear();
        } else if (letter == ';') {
            note();
            head_.clear();
        } else if (letter == ':' && is_label()) {
            scopes_.back().is_public = head_.find("public") != std::string::npos;
            head_.clear();
        } else {
            head_ += std::isspace(static_cast<unsigned char>(letter)) ? ' ' : letter;
        }
    }

    bool is_label() const {
        static const std::regex label(R"(^\s*(public|private|protected)\s*$)");
        return std::regex_match(head_, label);
    }

    bool is_inside_code() const { return !scopes_.empty() && scopes_.back().kind == Scope::other; }

    void open() {
        static const std::regex space(R"(^\s*(?:inline )?namespace\s+([\w:]+)\s*$)");
        static const std::regex type(
            R"(^\s*(class|struct)\s+(?:alignas\([^)]*\)\s*|\[\[\w+\]\]\s*)*(\w+)[^()=]*$)");
        std::smatch found;
        const std::string head = without_template(head_);
        if (is_inside_code()) {
            scopes_.push_back({Scope::other, "", false});
        } else if (std::regex_match(head, found, space)) {
            scopes_.push_back({Scope::space, found[1], true});
        } else if (std::regex_match(head, found, type)) {
            scopes_.push_back({Scope::type, found[2], found[1] == "struct"});
        } else {
            note();
            scopes_.push_back({Scope::other, "", false});
        }
        head_.clear();
    }

    // Without `template <...>`, and a requires-clause before `class`.
    static std::string without_template(std::string head) {
        static const std::regex begin(R"(^\s*template\s*<)");
        static const std::regex clause(R"(^\s*requires\s[^{]*?\b(?=class |struct ))");
        std::smatch found;
        while (std::regex_search(head, found, begin)) {
            std::size_t end = static_cast<std::size_t>(found.length());
            for (int depth = 1; end < head.size() && depth != 0; ++end)
                depth += head[end] == '<' ? 1 : head[end] == '>' ? -1 : 0;
            head.erase(0, end);
        }
        return std::regex_replace(head, clause, "");
    }

    // The declaration that has just been read, if it is one of a function.
    void note() {
        static const std::regex function(
            R"((~|::\s*)?(operator\s*[^\s\w(]+|operator\s+\w+|[A-Za-z_]\w*)\s*\()");
        static const std::set<std::string> no_names{"static_assert", "requires", "noexcept",
                                                    "alignas",       "decltype", "gnu"};
        std::string path;
        if (!is_public(path))
            return;
        const std::string head = without_template(head_);
        static const std::regex deleted(R"(=\s*delete\s*$)");
        static const std::regex value(R"(^[^(]*[^=<>!]=[^=])"); // of a variable
        if (std::regex_search(head, deleted) ||
            (head.find("operator") == std::string::npos && std::regex_search(head, value)) ||
            head.find("friend ") != std::string::npos || head.find("using ") != std::string::npos)
            return;
        std::smatch found;
        if (!std::regex_search(head, found, function) || found[1].matched ||
            no_names.count(found[2]) != 0)
            return;
        const std::string name = found[2];
        static const std::set<std::string> of_values{"operator=", "operator==", "operator<=>",
                                                     "operator()"};
        // Functions begin with a small letter: the others are constructors and deduction guides.
        if (of_values.count(name) == 0 && std::isupper(static_cast<unsigned char>(name[0])) == 0)
            members_.insert(path + name);
    }

    // `path`: "" in namespace takt, "Class::" in one of its classes.
    bool is_public(std::string& path) const {
        if (scopes_.empty() || scopes_.front().name != "takt" || scopes_.size() > 2)
            return scopes_.size() == 3 && is_topic_name(path);
        if (scopes_.size() == 1)
            return true;
        path = scopes_[1].name + "::";
        if (path == "BasicBusy::")
            path = "Busy::";
        return scopes_[1].kind == Scope::type && scopes_[1].is_public;
    }

    // What Topic, Request and Attribute have in common lies in detail, and is theirs.
    bool is_topic_name(std::string& path) const {
        path = "Topic::";
        return scopes_[2].name == "HashedName" && scopes_[2].is_public;
    }

    std::vector<Scope> scopes_;
    std::string head_; // of the declaration that is being read
    int parentheses_ = 0;
    std::set<std::string> members_;
};

inline std::set<std::string> public_members_in(const std::string& text) {
    return HeaderReader().read(text);
}

/// Throws when there is no such file.
inline std::set<std::string> public_members_of(const std::string& path) {
    std::ifstream file(path);
    if (!file)
        throw std::runtime_error("no " + path);
    return public_members_in({std::istreambuf_iterator<char>(file), {}});
}

} // namespace takt::testing_support
