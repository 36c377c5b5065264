#include "cli/phones_watch.hpp"

#include <boost/asio/post.hpp>
#include <utility>

namespace drover::cli {

PhonesWatch::PhonesWatch(boost::asio::io_context& io, task::FleetPhones& phones,
                         const std::vector<std::filesystem::path>& files, std::function<void()> changed)
    : phones_(phones), files_(io, files, std::move(changed)) {
    phones_.on_discovery([this, &io] { boost::asio::post(io, [this] { files_.ring(); }); });
    files_.ring();
}

}  // namespace drover::cli
