# Precompiled headers: what most files read from outside. They take a third off a build from nothing, also where several files are
# compiled at once (unity.cmake); the dev preset goes without, and shows what a file forgot to include.
option(DROVER_PRECOMPILE "Precompile the headers of other libraries" OFF)

set(DROVER_PRECOMPILED
    <algorithm> <array> <atomic> <chrono> <cstdint> <deque> <filesystem> <functional> <map> <memory> <mutex> <optional> <set>
    <span> <string> <string_view> <unordered_map> <utility> <variant> <vector>
    <boost/asio/io_context.hpp> <boost/asio/ip/tcp.hpp> <boost/asio/post.hpp> <boost/asio/steady_timer.hpp>
    <boost/json.hpp> <fmt/format.h> <fmt/ranges.h> <tl/expected.hpp>)

# The first target of a kind compiles the headers, the others of that kind use them: all have the same flags. Further arguments
# are headers of that kind alone.
function(drover_precompile target kind)
  if(NOT DROVER_PRECOMPILE)
    return()
  endif()
  get_property(first GLOBAL PROPERTY DROVER_PRECOMPILED_BY_${kind})
  if(first)
    target_precompile_headers(${target} REUSE_FROM ${first})
  else()
    target_precompile_headers(${target} PRIVATE ${DROVER_PRECOMPILED} ${ARGN})
    set_property(GLOBAL PROPERTY DROVER_PRECOMPILED_BY_${kind} ${target})
  endif()
endfunction()
