#include "report/json.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

namespace drover::report {
namespace {

Row failed_row() {
    Row row;
    row.instance_id = "rack1-03";
    row.code = Code::command_failed;
    row.error_msg = "Run command failed.";
    row.phase = Phase::done;
    row.execute_msg = "no \"such\" file\n\x1b[0m\\ \xc3\xa9\xef\xbf\xbd";
    row.exit_code = 3;
    row.output_bytes = 5'000'000'000;
    row.truncated = true;
    row.attempts = 1;
    row.ms = 42;
    return row;
}

TEST(RowJson, HasTheKeysInTheirOrder) {
    EXPECT_EQ(row_json(failed_row(), Steps::none),
              R"({"instance_id":"rack1-03","status":-1,"error_code":"CPS.0191","error_msg":"Run command failed.",)"
              R"("class":"user","phase":"done","execute_msg":"no \"such\" file\n\u001b[0m\\ )"
              "\xc3\xa9\xef\xbf\xbd"
              R"(","exit_code":3,"output_bytes":5000000000,"truncated":true,"attempts":1,"ms":42})");
}

TEST(RowJson, AnOkRowHasEmptyTextsAndAnUnknownExitCodeIsNull) {
    Row row;
    row.instance_id = "a";
    row.phase = Phase::done;
    EXPECT_EQ(row_json(row, Steps::none),
              R"({"instance_id":"a","status":2,"error_code":"","error_msg":"","class":"","phase":"done",)"
              R"("execute_msg":"","exit_code":null,"output_bytes":0,"truncated":false,"attempts":0,"ms":0})");
}

TEST(RowJson, StepsComeLast) {
    Row row;
    row.instance_id = "a";
    StepResult good;
    good.name = "one";
    good.exit_code = 0;
    good.output_bytes = 4;
    good.ms = 5;
    good.kind = "run";
    good.attempts = 1;
    good.begin_ms = 2;
    StepResult bad;
    bad.name = "two";
    bad.code = Code::command_failed;
    bad.continued = true;
    bad.exit_code = 1;
    StepResult skipped;
    skipped.name = "three";
    skipped.skipped = true;
    row.steps = {good, bad, skipped};
    const auto text = row_json(row, Steps::with);
    EXPECT_EQ(text.substr(text.find(",\"steps\"")),
              R"(,"steps":[{"name":"one","status":"ok","error_code":"","exit_code":0,"output_bytes":4,"ms":5,)"
              R"("kind":"run","combination":"","error_msg":"","attempts":1,"begin_ms":2,"restored":false},)"
              R"({"name":"two","status":"continued","error_code":"CPS.0191","exit_code":1,"output_bytes":0,"ms":0,)"
              R"("kind":"","combination":"","error_msg":"","attempts":0,"begin_ms":0,"restored":false},)"
              R"({"name":"three","status":"skipped","error_code":"","exit_code":null,"output_bytes":0,"ms":0,)"
              R"("kind":"","combination":"","error_msg":"","attempts":0,"begin_ms":0,"restored":false}]})");
}

TEST(DocumentJson, IsOneObjectWithSchemaSummaryAndRows) {
    Row ok;
    ok.instance_id = "a";
    const std::vector<Row> rows{ok, failed_row()};
    Summary summary;
    for (const auto& row : rows) summary.tally.add(row);
    summary.exit_code = 10;
    summary.ms = 99;
    const auto text = document_json(summary, rows, Steps::none);
    EXPECT_EQ(
        text.substr(0, text.find('\n')),
        R"({"schema":1,"summary":{"targets":2,"ok":1,"failed":1,"by_code":{"CPS.0191":1},"exit_code":10,"ms":99},"rows":[)");
    EXPECT_TRUE(text.ends_with("]}\n"));
    const auto parsed = boost::json::parse(text);
    EXPECT_EQ(parsed.at("rows").as_array().size(), 2u);
    EXPECT_EQ(parsed.at("rows").at(1).at("execute_msg").as_string(), failed_row().execute_msg.c_str());
    EXPECT_EQ(document_json(Summary{}, {}, Steps::none),
              R"({"schema":1,"summary":{"targets":0,"ok":0,"failed":0,"by_code":{},"exit_code":0,"ms":0},"rows":[]})"
              "\n");
}

}  // namespace
}  // namespace drover::report
