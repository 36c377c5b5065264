#include "http/metrics.hpp"

#include <gmock/gmock.h>

namespace drover::http {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

TEST(Metrics, RowsAreCountedByCodeAndClassWithTheirTimes) {
    Metrics metrics;
    metrics.count_row(Code::ok, milliseconds(3));
    metrics.count_row(Code::command_failed, milliseconds(40));
    metrics.count_row(Code::command_failed, std::chrono::seconds(100));
    const auto text = metrics.text({});
    EXPECT_THAT(text, HasSubstr("# TYPE drover_rows_total counter\ndrover_rows_total{code=\"ok\",class=\"\"} 1\n"
                                "drover_rows_total{code=\"CPS.0191\",class=\"user\"} 2\n"));
    EXPECT_THAT(text, HasSubstr("# TYPE drover_row_seconds histogram\n"));
    EXPECT_THAT(text, HasSubstr("drover_row_seconds_bucket{le=\"0.001\"} 0\n"));
    EXPECT_THAT(text, HasSubstr("drover_row_seconds_bucket{le=\"0.005\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("drover_row_seconds_bucket{le=\"0.05\"} 2\n"));
    EXPECT_THAT(text, HasSubstr("drover_row_seconds_bucket{le=\"30\"} 2\n"));
    EXPECT_THAT(text, HasSubstr("drover_row_seconds_bucket{le=\"+Inf\"} 3\ndrover_row_seconds_sum 100.043\n"
                                "drover_row_seconds_count 3\n"));
}

TEST(Metrics, WhatOthersCountStandsWithItsType) {
    const auto text =
        Metrics().text({{"g", "A gauge.", {{"a=\"1\"", 2.5}}}, {"c_total", "A counter.", {{"", 3}}, "counter"}});
    EXPECT_THAT(text, HasSubstr("# HELP g A gauge.\n# TYPE g gauge\ng{a=\"1\"} 2.5\n"));
    EXPECT_THAT(text, HasSubstr("# TYPE c_total counter\nc_total 3\n"));
}

}  // namespace
}  // namespace drover::http
