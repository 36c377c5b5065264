#include "fleet/health.hpp"

#include <gtest/gtest.h>

#include <random>

namespace drover::test {
namespace {

using fleet::Health;

// As an Android 14 phone prints it.
constexpr std::string_view kAnswer =
    "Current Battery Service state:\n  AC powered: false\n  USB powered: true\n  level: 81\n  scale: 100\n"
    "  voltage: 4123\n  temperature: 312\n  technology: Li-ion\n--drover--\n"
    "Filesystem       1K-blocks     Used Available Use% Mounted on\n/dev/block/dm-51 113303552 9865512 103306968   9% "
    "/data\n"
    "--drover--\n1\n--drover--\n  mWakefulness=Asleep\r\n";

TEST(Health, IsReadFromWhatAPhonePrints) {
    const Health h = fleet::parse_health(kAnswer);
    EXPECT_EQ(h.battery_percent, 81);
    EXPECT_EQ(h.temperature_decicelsius, 312);
    EXPECT_EQ(h.storage_free_mib, 103306968 / 1024);
    EXPECT_EQ(h.booted, true);
    EXPECT_EQ(h.screen_on, false);
    EXPECT_EQ(fleet::to_string(h), "battery 81 %, 31.2 °C, 100885 MiB free, screen off");
}

TEST(Health, WhatIsNotToldIsNotKnown) {
    const Health h = fleet::parse_health("--drover--\n--drover--\n0\n--drover--\n");
    EXPECT_FALSE(h.battery_percent || h.temperature_decicelsius || h.storage_free_mib || h.screen_on);
    EXPECT_EQ(h.booted, false);
    HealthLimits strict;
    strict.battery_min_percent = 100;
    strict.temperature_max_celsius = 0;
    strict.storage_min_mib = 1'000'000;
    EXPECT_FALSE(fleet::unfit(h, strict)) << "no phone is taken out of service for what nobody knows";
}

TEST(Health, ALineOfItsOwnForALongDevice) {
    const auto h = fleet::parse_health(
        "--drover--\nFilesystem 1K-blocks Used Available Use% Mounted on\n/dev/block/bootdevice/by-name/userdata\n"
        "                      25165824 20971520   4194304  84% /data\n--drover--\n");
    EXPECT_EQ(h.storage_free_mib, 4096);
}

TEST(Health, Limits) {
    const Health h = fleet::parse_health(kAnswer);
    HealthLimits limits;
    EXPECT_FALSE(fleet::unfit(h, limits));
    limits.battery_min_percent = 81;
    limits.temperature_max_celsius = 32;
    limits.storage_min_mib = 100;
    EXPECT_FALSE(fleet::unfit(h, limits));
    limits.battery_min_percent = 82;
    EXPECT_EQ(fleet::unfit(h, limits), "battery at 81 %, below 82 %");
    limits.battery_min_percent = 10;
    limits.temperature_max_celsius = 31;
    EXPECT_EQ(fleet::unfit(h, limits), "battery at 31.2 °C, above 31 °C");
    limits.temperature_max_celsius.reset();
    limits.storage_min_mib = 200'000;
    EXPECT_EQ(fleet::unfit(h, limits), "100885 MiB free in /data, below 200000 MiB");
}

TEST(Health, AnyTextIsSurvived) {
    for (std::size_t n = 0; n <= kAnswer.size(); ++n) (void)fleet::parse_health(kAnswer.substr(0, n));
    (void)fleet::parse_health("level: 99999999999999999999\ntemperature: -\n--drover--");
    EXPECT_FALSE(fleet::parse_health("level: 250\n").battery_percent);
    std::minstd_rand random(7);
    for (int round = 0; round < 200; ++round) {
        std::string junk(kAnswer);
        for (int i = 0; i < 20; ++i) junk[random() % junk.size()] = static_cast<char>(random());
        (void)fleet::parse_health(junk);
    }
}

}  // namespace
}  // namespace drover::test
