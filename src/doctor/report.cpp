// SPDX-License-Identifier: MIT
#include "doctor/report.hpp"

#include <cstdio>
#include <functional>
#include <ostream>
#include <string>
#include <utility>

namespace takt::doctor {
namespace {

std::string rounded(double value) {
    char text[32];
    std::snprintf(text, sizeof text, value < 10 ? "%.1f" : "%.0f", value);
    return text;
}

std::string padded(const std::string& text, std::size_t width) {
    return text.size() >= width ? text : std::string(width - text.size(), ' ') + text;
}

void print_percentiles(std::ostream& out, const char* name, const Percentiles& figure,
                       const char* what) {
    out << "  " << name << padded(rounded(figure.p50), 8) << " ns p50 "
        << padded(rounded(figure.p99), 8) << " ns p99 " << padded(rounded(figure.max), 10)
        << " ns max   " << what << "\n";
}

void print_matrix(std::ostream& out, const Figures& figures) {
    constexpr std::size_t kColumn = 7;
    out << "\nLine transfer, one way, ns\n  " << padded("CPU", 5);
    for (const int cpu : figures.matrix_cpus)
        out << padded(std::to_string(cpu), kColumn);
    out << "\n";
    for (std::size_t row = 0; row < figures.transfer.size(); ++row) {
        out << "  " << padded(std::to_string(figures.matrix_cpus[row]), 5);
        for (const double ns : figures.transfer[row])
            out << padded(ns == 0 ? "." : rounded(ns), kColumn);
        out << "\n";
    }
}

void print_figures(std::ostream& out, const Figures& figures) {
    out << "\nFigures of this moment (ratios travel, absolute times do not)\n"
        << "  rmw   " << padded(rounded(figures.rmw), 8)
        << " ns                                       an uncontended atomic fetch_add\n";
    if (figures.raw)
        print_percentiles(out, "raw   ", *figures.raw, "round trip over two cache lines");
    print_percentiles(out, "turn  ", figures.turn, "an empty turn of all workers");
    if (figures.futex_wake)
        print_percentiles(out, "wake  ", *figures.futex_wake, "waking a sleeping worker");
    if (figures.matrix_cpus.size() >= 2)
        print_matrix(out, figures);
}

void print_advice(std::ostream& out, const std::vector<Advice>& advice) {
    out << "\nWhat to fix\n";
    bool nothing = true;
    for (const Advice& item : advice)
        if (item.mend) {
            out << "  fix   " << item.finding << "\n        -> " << item.remedy << "\n";
            nothing = false;
        }
    if (nothing)
        out << "  nothing\n";
    for (const Advice& item : advice)
        if (!item.mend)
            out << "  know  " << item.finding << "\n        -> " << item.remedy << "\n";
}

// A JSON writer that knows when a comma is due: enough for one flat report.
class Json {
  public:
    explicit Json(std::ostream& out) : out_(out) {}

    void object(const std::function<void()>& members) { enclose('{', members, '}'); }
    void array(const std::function<void()>& items) { enclose('[', items, ']'); }
    void key(const std::string& name) {
        separate();
        quote(name);
        out_ << ':';
        first_ = true;
    }
    void value(const std::string& text) {
        separate();
        quote(text);
    }
    void value(double number) {
        separate();
        char text[32];
        std::snprintf(text, sizeof text, "%.6g", number);
        out_ << text;
    }
    void value(int number) {
        separate();
        out_ << number;
    }
    void value(bool truth) {
        separate();
        out_ << (truth ? "true" : "false");
    }
    template <class T>
    void member(const std::string& name, const T& content) {
        key(name);
        value(content);
    }

  private:
    void enclose(char open, const std::function<void()>& inside, char close) {
        separate();
        out_ << open;
        first_ = true;
        inside();
        out_ << close;
        first_ = false;
    }
    void separate() {
        if (!std::exchange(first_, false))
            out_ << ',';
    }
    void quote(const std::string& text) {
        out_ << '"';
        for (const char letter : text) {
            const auto code = static_cast<unsigned char>(letter);
            if (letter == '"' || letter == '\\')
                out_ << '\\' << letter;
            else if (code < 0x20)
                out_ << "\\u00"
                     << "0123456789abcdef"[code >> 4] << "0123456789abcdef"[code & 15];
            else
                out_ << letter;
        }
        out_ << '"';
    }

    std::ostream& out_;
    bool first_ = true;
};

void write_machine(Json& json, const Machine& machine) {
    json.object([&] {
        json.member("source", std::string(to_string(machine.source)));
        json.member("degraded", machine.degraded);
        json.member("bindable", machine.bindable);
        json.member("cores", machine.cores);
        json.member("llcs", machine.llcs);
        json.member("numas", machine.numas);
        json.member("packages", machine.packages);
        json.member("cpus", machine.all_cpus().to_string());
        json.member("allowed", machine.allowed.to_string());
        json.key("notes");
        json.array([&] {
            for (const std::string& note : machine.notes)
                json.value(note);
        });
    });
}

void write_plan(Json& json, const Plan& plan) {
    json.object([&] {
        json.member("allowed_cpus", plan.allowed_cpus);
        json.member("oversubscribed", plan.oversubscribed);
        json.member("pin", plan.pin);
        json.key("workers");
        json.array([&] {
            for (const PlannedWorker& worker : plan.workers)
                json.object([&] {
                    json.member("worker", worker.worker);
                    json.member("cpu", worker.cpu);
                    json.member("core", worker.core);
                    json.member("llc", worker.llc);
                    json.member("numa", worker.numa);
                    json.member("package", worker.package);
                    json.member("why", worker.why);
                });
        });
        json.key("notes");
        json.array([&] {
            for (const std::string& note : plan.notes)
                json.value(note);
        });
    });
}

void write_workers(Json& json, const std::vector<WorkerStatus>& workers) {
    json.array([&] {
        for (const WorkerStatus& worker : workers)
            json.object([&] {
                json.member("worker", worker.worker);
                json.member("requested", worker.requested_cpu);
                json.member("granted", worker.granted.to_string());
                json.member("pinned", worker.pinned);
                json.member("why", worker.why);
            });
    });
}

void write_percentiles(Json& json, const std::string& name, const Percentiles& figure) {
    json.key(name);
    json.object([&] {
        json.member("p50", figure.p50);
        json.member("p99", figure.p99);
        json.member("max", figure.max);
    });
}

void write_figures(Json& json, const Figures& figures) {
    json.object([&] {
        json.member("rmw_ns", figures.rmw);
        if (figures.raw)
            write_percentiles(json, "raw_ns", *figures.raw);
        write_percentiles(json, "turn_ns", figures.turn);
        if (figures.futex_wake)
            write_percentiles(json, "futex_wake_ns", *figures.futex_wake);
        json.key("transfer_cpus");
        json.array([&] {
            for (const int cpu : figures.matrix_cpus)
                json.value(cpu);
        });
        json.key("transfer_ns");
        json.array([&] {
            for (const auto& row : figures.transfer)
                json.array([&] {
                    for (const double ns : row)
                        json.value(ns);
                });
        });
    });
}

} // namespace

void print_text(std::ostream& out, const Diagnosis& diagnosis) {
    diagnosis.machine.print(out);
    out << "\n";
    diagnosis.plan.print(out);
    if (diagnosis.figures)
        print_figures(out, *diagnosis.figures);
    print_advice(out, diagnosis.advice);
}

void print_json(std::ostream& out, const Diagnosis& diagnosis) {
    Json json(out);
    json.object([&] {
        json.key("machine");
        write_machine(json, diagnosis.machine);
        json.key("plan");
        write_plan(json, diagnosis.plan);
        json.key("workers");
        write_workers(json, diagnosis.workers);
        if (diagnosis.figures) {
            json.key("figures");
            write_figures(json, *diagnosis.figures);
        }
        json.key("advice");
        json.array([&] {
            for (const Advice& item : diagnosis.advice)
                json.object([&] {
                    json.member("mend", item.mend);
                    json.member("finding", item.finding);
                    json.member("remedy", item.remedy);
                });
        });
    });
    out << "\n";
}

} // namespace takt::doctor
