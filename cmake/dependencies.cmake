# All dependencies are Debian 12 packages; scripts/setup installs them.
set(Boost_NO_WARN_NEW_VERSIONS ON)
find_package(Boost 1.81 REQUIRED COMPONENTS json)
find_package(OpenSSL 3 REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(tl-expected REQUIRED)
find_package(Threads REQUIRED)
find_path(LIBUSB_HEADER libusb-1.0/libusb.h REQUIRED)  # libusb has no CMake package
find_library(LIBUSB_LIBRARY usb-1.0 REQUIRED)
find_package(SQLite3 REQUIRED)
# Nor have lz4 and brotli; zstd has one in Debian, and all three are plain libraries.
foreach(header lz4frame.h zstd.h brotli/encode.h)
  string(MAKE_C_IDENTIFIER "DROVER_${header}" found)
  find_path(${found} ${header} REQUIRED)
endforeach()

# What every room may use. Asio is compiled once, in src/base/asio_impl.cpp.
add_library(drover_parts INTERFACE)
target_link_libraries(drover_parts INTERFACE Boost::headers Boost::json OpenSSL::Crypto OpenSSL::SSL yaml-cpp fmt::fmt
                      spdlog::spdlog tl::expected SQLite::SQLite3 Threads::Threads usb-1.0 lz4 zstd brotlienc brotlidec)
target_compile_definitions(drover_parts INTERFACE BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED)
