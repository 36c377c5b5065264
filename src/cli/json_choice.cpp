#include "cli/json_choice.hpp"

#include <boost/json/serialize.hpp>

#include "cli/terminal.hpp"

namespace drover::cli {

int print_result(const Context& context, std::string_view text, const boost::json::object& document) {
    ResultStream results;
    if (wants_json(context)) {
        results.write(boost::json::serialize(document) + "\n");
    } else {
        results.write(text);
    }
    return results.exit_code();
}

}  // namespace drover::cli
