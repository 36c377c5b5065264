#include "job/steps/file_steps.hpp"

#include <fmt/format.h>

namespace drover::job {
namespace {

namespace fs = std::filesystem;

template <class T>
tl::expected<std::vector<std::string>, std::string> expanded(const std::vector<T>& all, const Scope& scope) {
    std::vector<std::string> out;
    for (const auto& one : all) {
        auto text = one.expand(scope);
        if (!text) return tl::unexpected(std::move(text.error()));
        out.push_back(*std::move(text));
    }
    return out;
}

}  // namespace

std::vector<std::string> KeepPlace::Made::files(const std::vector<std::string>& names) const {
    std::vector<std::string> out;
    if (artifact.empty()) return out;
    for (const auto& name : names) out.push_back(artifact + '/' + name);
    return out;
}

tl::expected<KeepPlace::Made, std::string> KeepPlace::of(const ActivityContext& context) const {
    const auto& id = context.phone.instance().id;
    if (!to_) {
        const auto artifact = fs::path(id) / context.files->step_directories.at(context.step);
        return Made{context.files->artifacts / artifact, artifact.string()};
    }
    auto directory = to_->expand(context.scope);
    if (!directory) return tl::unexpected("to: " + directory.error());
    return Made{*directory / id, {}};
}

std::string KeepPlace::preview(const Scope& scope) const {
    return to_ ? (fs::path(to_->preview(scope)) / scope.phone.id).string() : "the artifacts directory of this step";
}

std::optional<KeepPlace> read_keep_place(const yaml::MapReader& map, FileReader& reader) {
    const auto* to = map.find("to");
    if (!to) return KeepPlace();
    auto paths = read_local_paths(*to, map.path_of("to"), reader);
    if (paths && to->is_sequence()) {
        map.problem("to", "one directory is wanted, this is a list");
        return std::nullopt;
    }
    return paths ? std::optional(KeepPlace(paths->front())) : std::nullopt;
}

std::optional<std::vector<Template>> read_texts(const yaml::Node& node, const std::string& path, FileReader& reader) {
    std::vector<Template> out;
    const auto add = [&](const yaml::Node& item, const std::string& where) {
        auto text = reader.read_template(item, where, Template::Use::plain);
        if (!text) return false;
        if (literal_of(*text) == "") {
            reader.problems().add(item.mark, where, "it is empty");
            return false;
        }
        out.push_back(*std::move(text));
        return true;
    };
    if (!node.is_sequence()) return add(node, path) ? std::optional(std::move(out)) : std::nullopt;
    if (node.items.empty() || node.items.size() > kPathsMax) {
        reader.problems().add(node.mark, path, fmt::format("1 to {} texts are wanted", kPathsMax));
        return std::nullopt;
    }
    for (std::size_t i = 0; i < node.items.size(); ++i) {
        if (!add(node.items[i], fmt::format("{}[{}]", path, i))) return std::nullopt;
    }
    return out;
}

std::optional<std::vector<LocalPath>> read_local_paths(const yaml::Node& node, const std::string& path,
                                                       FileReader& reader) {
    auto texts = read_texts(node, path, reader);
    if (!texts) return std::nullopt;
    std::vector<LocalPath> out;
    for (auto& text : *texts) out.emplace_back(std::move(text), reader.folder());
    return out;
}

std::optional<transfer::Compress> read_compress(const yaml::MapReader& map, transfer::Compress usual) {
    using transfer::Compress;
    if (!map.find("compress")) return usual;
    const auto word = map.word("compress", {"auto", "none", "brotli", "lz4", "zstd"});
    if (!word) return std::nullopt;
    if (*word == "none") return Compress::none;
    if (*word == "brotli") return Compress::brotli;
    if (*word == "lz4") return Compress::lz4;
    return *word == "zstd" ? Compress::zstd : Compress::automatic;
}

tl::expected<std::vector<std::string>, std::string> expand_all(const std::vector<Template>& texts, const Scope& scope) {
    return expanded(texts, scope);
}
tl::expected<std::vector<std::string>, std::string> expand_all(const std::vector<LocalPath>& paths,
                                                               const Scope& scope) {
    return expanded(paths, scope);
}

std::optional<std::string> literal_of(const Template& text) {
    bool waits = false;
    const std::function<void(const Name&)> look = [&](const Name& name) {
        waits = waits || name.kind != Name::Kind::var;
        if (name.value) name.value->each_name(look);
    };
    text.each_name(look);
    if (waits) return std::nullopt;
    const Instance nobody;
    const auto value = text.expand(Scope{nobody, {}, {}, {}, {}, {}, Standing::good});
    return value ? std::optional(*value) : std::nullopt;
}

std::vector<std::string> literals_of(const std::vector<LocalPath>& paths) {
    std::vector<std::string> out;
    const Instance nobody;
    for (const auto& path : paths) {
        if (literal_of(path.text())) out.push_back(path.preview(Scope{nobody, {}, {}, {}, {}, {}, Standing::good}));
    }
    return out;
}

Result<void> make_directories(const fs::path& directory) {
    std::error_code error;
    fs::create_directories(directory, error);
    if (error) return fail(Code::local_file, fmt::format("{}: {}", directory.string(), error.message()));
    return {};
}

}  // namespace drover::job
