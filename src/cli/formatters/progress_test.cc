#include "cli/formatters/progress.h"

#include <gtest/gtest.h>

#include "cli/formatters/text.h"
#include "core/text/json.h"

namespace lbrx {
namespace {

constexpr uint64_t kGiga = 1'000'000'000;

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

size_t Count(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

// A reporter on a string, with a clock that is set by hand.
class Fixture {
 public:
  Fixture(ProgressMode mode, int columns = 80) : columns_(columns) {
    ReporterOptions options;
    options.mode = mode;
    options.renderer = {&sink, {}, [this] { return columns_; }, "quantizing"};
    options.cancel = &cancel;
    options.clock = [this] { return now; };
    options.own_thread = false;
    reporter = std::make_unique<ProgressReporter>(options);
  }

  // Text since the last call.
  std::string Take() {
    std::string text = sink.text();
    sink.clear();
    return text;
  }

  StringSink sink{true, 80};
  CancelToken cancel;
  double now = 100;
  std::unique_ptr<ProgressReporter> reporter;

 private:
  int columns_;
};

TEST(RateTest, IsThatOfTheWholeRunClampedByTheRecent) {
  RateEstimator rate;
  rate.Start(0, 0);
  EXPECT_EQ(rate.Eta(1000), std::nullopt);
  for (int second = 1; second <= 100; ++second) {
    rate.Sample(second, static_cast<uint64_t>(second) * 10);
  }
  EXPECT_DOUBLE_EQ(rate.bytes_per_second(), 10);
  EXPECT_DOUBLE_EQ(*rate.Eta(2000), 100);
  // Ten times as fast for the last ten seconds: the run's rate is 2000/110, far below half of 100.
  for (int second = 101; second <= 110; ++second) {
    rate.Sample(second, 1000 + static_cast<uint64_t>(second - 100) * 100);
  }
  EXPECT_DOUBLE_EQ(rate.bytes_per_second(), 50);
  // And then slow: twice the recent rate at most.
  for (int second = 111; second <= 130; ++second) {
    rate.Sample(second, 2000 + static_cast<uint64_t>(second - 110));
  }
  EXPECT_DOUBLE_EQ(rate.bytes_per_second(), 2);
}

TEST(RateTest, ResumedBytesAreNotSpeed) {
  RateEstimator rate;
  rate.Start(5, 900);
  rate.Sample(15, 950);
  EXPECT_DOUBLE_EQ(rate.bytes_per_second(), 5);
  EXPECT_DOUBLE_EQ(*rate.Eta(1000), 10);
  EXPECT_DOUBLE_EQ(rate.seconds(), 10);
}

TEST(RateTest, NoFigureAbove99Hours) {
  RateEstimator rate;
  rate.Start(0, 0);
  rate.Sample(1, 1);
  EXPECT_TRUE(rate.Eta(99 * 3600));
  EXPECT_EQ(rate.Eta(99 * 3600 + 100), std::nullopt);
}

TEST(BarTest, AppearsLateAndLeavesNothing) {
  Fixture f(ProgressMode::kBar);
  f.reporter->Start(10 * kGiga, 0);
  f.now += 0.3;
  f.reporter->Tick();
  EXPECT_EQ(f.Take(), "");
  f.now += 0.7;
  f.reporter->Advance(2 * kGiga);
  f.reporter->Tensor("model.embed_tokens.weight");
  f.reporter->Tick();
  const std::string first = f.Take();
  EXPECT_TRUE(first.starts_with(kHideCursor));
  EXPECT_TRUE(Contains(first, " 20% ")) << first;
  EXPECT_TRUE(Contains(first, "2 GB / 10 GB")) << first;
  EXPECT_TRUE(Contains(first, "2 GB/s")) << first;
  EXPECT_TRUE(Contains(first, "ETA 0:04")) << first;
  EXPECT_TRUE(Contains(first, "0:01 elapsed")) << first;
  EXPECT_TRUE(Contains(first, "\nmodel.embed_tokens.weight")) << first;
  EXPECT_FALSE(Contains(first, "\x1b[1A"));
  f.reporter->Tick();
  EXPECT_TRUE(Contains(f.Take(), "\r\x1b[1A"));
  f.reporter->Done();
  EXPECT_EQ(f.Take(), "\r\x1b[1A\x1b[J" + std::string(kShowCursor));
  f.reporter->Tick();
  EXPECT_EQ(f.Take(), "");
}

TEST(BarTest, TheCursorIsShownHoweverItEnds) {
  const auto end = [](const std::function<void(Fixture&)>& how) {
    Fixture f(ProgressMode::kBar);
    f.reporter->Start(kGiga, 0);
    f.now += 1;
    f.reporter->Tick();
    how(f);
    return f.Take().ends_with(kShowCursor);
  };
  EXPECT_TRUE(end([](Fixture& f) { f.reporter->Done(); }));
  EXPECT_TRUE(end([](Fixture& f) { f.reporter->Stop(); }));
  EXPECT_TRUE(end([](Fixture& f) { f.reporter->Fail(Error(ErrorCode::kIo, "x")); }));
  EXPECT_TRUE(end([](Fixture& f) { f.reporter.reset(); }));
}

TEST(BarTest, MessagesGoBetweenFrames) {
  Fixture f(ProgressMode::kBar);
  f.reporter->Start(kGiga, 0);
  f.now += 1;
  f.reporter->Tick();
  f.Take();
  f.reporter->Write("lbrx: note: x\n");
  EXPECT_TRUE(f.Take().ends_with("\x1b[J" + std::string(kShowCursor) + "lbrx: note: x\n"));
  f.reporter->Tick();
  EXPECT_FALSE(Contains(f.Take(), "\x1b[1A"));
}

TEST(BarTest, TellsThatItIsStopping) {
  Fixture f(ProgressMode::kBar);
  f.reporter->Start(kGiga, 0);
  f.cancel.Cancel();
  f.reporter->Tick();
  EXPECT_TRUE(Contains(f.Take(), "stopping"));
}

TEST(BarTest, UntrustedNamesAreMadeSafe) {
  Fixture f(ProgressMode::kBar);
  f.reporter->Start(kGiga, 0);
  f.now += 1;
  f.reporter->Tensor("a\x1b[2Jb\n");
  f.reporter->Tick();
  EXPECT_TRUE(Contains(f.Take(), "a\\x1B[2Jb\\x0A"));
}

TEST(BarTest, FitsAnyWidth) {
  ProgressFrame frame;
  frame.state = {59'200'000'000, 141'000'000'000, 0, "x"};
  frame.seconds = 18;
  frame.bytes_per_second = 3.2e9;
  frame.eta = 25;
  for (const bool utf8 : {false, true}) {
    for (int width = 4; width <= 200; ++width) {
      EXPECT_LE(DisplayWidth(BarLine(frame, utf8, width)), width) << width;
    }
  }
  EXPECT_EQ(BarLine(frame, false, 19), " 41% 59.2 GB");
  const std::string wide = BarLine(frame, false, 100);
  EXPECT_TRUE(Contains(wide, "[####")) << wide;
  EXPECT_TRUE(Contains(wide, "59.2 GB / 141 GB  ETA 0:25  3.2 GB/s  0:18 elapsed")) << wide;
}

TEST(BarTest, AHundredPercentMeansAll) {
  ProgressFrame frame;
  frame.state = {999'999, 1'000'000, 0, ""};
  EXPECT_TRUE(BarLine(frame, false, 40).starts_with(" 99%"));
  frame.state.bytes_done = 1'000'000;
  EXPECT_TRUE(BarLine(frame, false, 40).starts_with("100%"));
  frame.state = {};
  EXPECT_TRUE(BarLine(frame, true, 40).starts_with("100%"));
}

TEST(LinesTest, OneLineEveryFiveSeconds) {
  Fixture f(ProgressMode::kLines);
  f.reporter->Start(10 * kGiga, 0);
  for (int tick = 0; tick < 200; ++tick) {  // 20 seconds
    f.now += 0.1;
    f.reporter->Advance(kGiga / 40);
    f.reporter->Tick();
  }
  const std::string text = f.Take();
  EXPECT_GE(Count(text, "\n"), 3U);
  EXPECT_LE(Count(text, "\n"), 4U);
  EXPECT_TRUE(text.starts_with("lbrx: quantizing 12% 1.2")) << text;
  EXPECT_FALSE(Contains(text, "\x1b"));
  EXPECT_FALSE(Contains(text, "\r"));
  f.cancel.Cancel();
  f.reporter->Tick();
  f.reporter->Tick();
  EXPECT_EQ(Count(f.Take(), "stopping"), 1U);
}

TEST(JsonTest, OneObjectALine) {
  Fixture f(ProgressMode::kJson);
  f.reporter->Start(1000, 400);
  f.reporter->Advance(100);
  f.now += 2;
  f.reporter->Tick();
  f.reporter->Tensor("bad\xff\nname");
  f.reporter->Advance(500);
  f.reporter->Done();
  f.reporter->Fail(Error(ErrorCode::kIo, "too late"));
  std::vector<Json> events;
  const std::string text = f.Take();
  size_t start = 0;
  while (start < text.size()) {
    const size_t end = text.find('\n', start);
    events.push_back(ParseJson(text.substr(start, end - start), "events"));
    start = end + 1;
  }
  ASSERT_EQ(events.size(), 4U);
  EXPECT_EQ(events[0].Find("event")->AsString(), "start");
  EXPECT_EQ(events[0].Find("bytes_done")->AsUint64(), 400U);
  EXPECT_EQ(events[0].Find("bytes_resumed")->AsUint64(), 400U);
  EXPECT_TRUE(events[0].Find("tensor")->is_null());
  EXPECT_TRUE(events[0].Find("eta")->is_null());
  EXPECT_EQ(events[1].Find("event")->AsString(), "progress");
  EXPECT_EQ(events[1].Find("bytes_done")->AsUint64(), 500U);
  EXPECT_DOUBLE_EQ(events[1].Find("seconds")->AsDouble(), 2);
  EXPECT_DOUBLE_EQ(events[1].Find("eta")->AsDouble(), 10);  // 100 bytes in 2 s, 500 left
  EXPECT_EQ(events[2].Find("tensor")->AsString(), "bad\\xFF\\x0Aname");
  EXPECT_EQ(events[3].Find("event")->AsString(), "done");
  EXPECT_EQ(events[3].Find("bytes_done")->AsUint64(), 1000U);
}

TEST(JsonTest, AFailureIsAnEventEvenBeforeTheStart) {
  Fixture f(ProgressMode::kJson);
  f.reporter->Fail(Error(ErrorCode::kNoSpace, "full"));
  const Json json = ParseJson(f.Take(), "events");
  EXPECT_EQ(json.Find("event")->AsString(), "error");
  EXPECT_EQ(json.Find("code")->AsString(), "no-space");
  EXPECT_EQ(json.Find("message")->AsString(), "full");
  EXPECT_DOUBLE_EQ(json.Find("seconds")->AsDouble(), 0);
}

TEST(ReporterTest, ManyThreadsAndItsOwn) {
  StringSink sink;
  ReporterOptions options;
  options.mode = ProgressMode::kJson;
  options.renderer = {&sink, {}, {}, "converting"};
  ProgressReporter reporter(options);
  reporter.Start(8000, 0);
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 10; ++i) {
        reporter.Advance(100);
        reporter.Tensor("t");
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  reporter.Done();
  EXPECT_EQ(Count(sink.text(), "\"event\":\"tensor\""), 80U);
  EXPECT_TRUE(Contains(sink.text(), "\"event\":\"done\",\"bytes_done\":8000"));
}

TEST(NoneTest, SaysNothing) {
  Fixture f(ProgressMode::kNone);
  f.reporter->Start(10, 0);
  f.now += 60;
  f.reporter->Tick();
  f.reporter->Tensor("x");
  f.reporter->Done();
  EXPECT_EQ(f.Take(), "");
}

}  // namespace
}  // namespace lbrx
