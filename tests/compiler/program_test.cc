#include "carat/compiler/program/program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "carat/compiler/program/walk.h"
#include "tests/compiler/model_graph.h"

namespace carat::compiler {
namespace {

Program ProgramOf(OptLevel level) {
  const auto& scheme = quantization::FindScheme("q4_0");
  return MakeProgram(RunPasses(SmallGraph(), PassesOf(level, scheme)), {level, 64});
}

class ProgramTest : public ::testing::TestWithParam<OptLevel> {};

// One thread may still be in the stages since the last barrier that every step passes, while
// another is as far ahead as the next such barrier lets it be.
TEST_P(ProgramTest, BuffersThatThreadsMayUseAtTheSameTimeDoNotOverlap) {
  Program program = ProgramOf(GetParam());
  int num_phases = 1;
  for (const Stage& stage : program.stages) {
    num_phases += stage.barrier_before == Barrier::kAlways ? 1 : 0;
  }
  // A value is written anew in every layer, so a buffer's uses are not one interval: take each
  // phase and what is read later without being written again.
  std::vector<std::set<BufferId>> alive(num_phases);
  for (BufferId id = 0; id < static_cast<BufferId>(program.buffers.size()); ++id) {
    int current = 0;
    int written = -1;
    for (Stage& stage : program.stages) {
      if (stage.barrier_before == Barrier::kAlways) ++current;
      ForEachAccess(stage, [&](const Access& access) {
        if (access.operand->buffer != id) return;
        if (!access.is_write) {
          ASSERT_GE(written, 0) << program.buffers[id].name << " is read before it is written";
          for (int p = written; p <= current; ++p) alive[p].insert(id);
        } else {
          written = current;
          alive[current].insert(id);
        }
      });
    }
  }
  for (const std::set<BufferId>& together : alive) {
    for (BufferId a : together) {
      for (BufferId b : together) {
        const Buffer& x = program.buffers[a];
        const Buffer& y = program.buffers[b];
        if (a >= b || x.shared_offset < 0 || y.shared_offset < 0) continue;
        const bool apart = x.shared_offset + x.row_bytes * program.max_rows <= y.shared_offset ||
                           y.shared_offset + y.row_bytes * program.max_rows <= x.shared_offset;
        EXPECT_TRUE(apart) << x.name << " and " << y.name;
      }
    }
  }
}

TEST_P(ProgramTest, BuffersLieInsideTheirArenas) {
  const Program program = ProgramOf(GetParam());
  for (const Buffer& buffer : program.buffers) {
    if (buffer.shared_offset >= 0) {
      EXPECT_LE(buffer.shared_offset + buffer.row_bytes * program.max_rows, program.shared_bytes);
      EXPECT_EQ(buffer.shared_offset % 64, 0);
    }
    if (buffer.thread_offset >= 0) {
      EXPECT_LE(buffer.thread_offset + buffer.row_bytes, program.thread_bytes);
      EXPECT_EQ(buffer.thread_offset % 64, 0);
    }
  }
}

// What a MatMul or Attend wrote is complete only behind a barrier.
TEST_P(ProgramTest, NobodyReadsWhatOtherThreadsMayStillWrite) {
  Program program = ProgramOf(GetParam());
  std::set<BufferId> unfinished;
  for (Stage& stage : program.stages) {
    if (stage.barrier_before == Barrier::kAlways) unfinished.clear();
    ForEachAccess(stage, [&](const Access& access) {
      if (!access.is_write) {
        EXPECT_FALSE(unfinished.contains(access.operand->buffer))
            << program.buffers[access.operand->buffer].name << "\n"
            << Print(program);
      }
    });
    if (!std::holds_alternative<RowLoop>(stage.work)) {
      ForEachAccess(stage, [&](const Access& access) {
        if (access.is_write) unfinished.insert(access.operand->buffer);
      });
    }
  }
}

TEST_P(ProgramTest, KeysAndValuesAreStoredBeforeAttentionByABarrier) {
  const Program program = ProgramOf(GetParam());
  bool stored = false;
  int attended = 0;
  for (const Stage& stage : program.stages) {
    if (stage.barrier_before == Barrier::kAlways) stored = false;
    if (const auto* loop = std::get_if<RowLoop>(&stage.work)) {
      for (const RowOp& op : loop->ops) stored = stored || std::holds_alternative<StoreKv>(op.work);
    } else if (std::holds_alternative<Attend>(stage.work)) {
      EXPECT_FALSE(stored);
      ++attended;
    }
  }
  EXPECT_EQ(attended, 3);
}

INSTANTIATE_TEST_SUITE_P(Levels, ProgramTest,
                         ::testing::Values(OptLevel::kO0, OptLevel::kO1, OptLevel::kO2,
                                           OptLevel::kO3));

TEST(ProgramTest, HigherLevelsHaveFewerStagesAndBarriers) {
  const auto count_barriers = [](const Program& program) {
    int count = 0;
    for (const Stage& stage : program.stages) count += stage.barrier_before == Barrier::kAlways;
    return count;
  };
  const Program o0 = ProgramOf(OptLevel::kO0);
  const Program o2 = ProgramOf(OptLevel::kO2);
  const Program o3 = ProgramOf(OptLevel::kO3);
  EXPECT_LT(o2.stages.size(), o0.stages.size());
  EXPECT_LT(count_barriers(o3), count_barriers(o2));
  // A decoded token passes qkv, store, attention, o, gate_up and down in every layer.
  EXPECT_LE(count_barriers(o3), 6 * 3);
}

TEST(ProgramTest, LayersShareTheirBuffers) {
  const Program program = ProgramOf(OptLevel::kO2);
  int qkv = 0;
  for (const Buffer& buffer : program.buffers) {
    if (buffer.name.starts_with("q_k_v") && buffer.shared_offset >= 0) ++qkv;
  }
  EXPECT_EQ(qkv, 1);
}

TEST(ProgramTest, ACappedOutputStaysInTheCallersLogits) {
  model::ModelConfig config = SmallConfig();
  config.final_logit_softcapping = 30;
  const auto& scheme = quantization::FindScheme("q4_0");
  Program program = MakeProgram(
      RunPasses(model::BuildGraph(config), PassesOf(OptLevel::kO3, scheme)), {OptLevel::kO3, 64});
  const auto& loop = std::get<RowLoop>(program.stages.back().work);
  EXPECT_FALSE(loop.replicated) << "one copy, so one thread a row";
  const Buffer& out = program.buffers[loop.ops.back().output.buffer];
  EXPECT_EQ(out.scope, BufferScope::kLogits);
}

TEST(ProgramTest, PrintsStagesBarriersAndBuffers) {
  const std::string text = Print(ProgramOf(OptLevel::kO3));
  for (const char* part : {"--- barrier\n", "matmul [n]  q_k_v <- ", "store_kv layer=1",
                           "attend  attention <- ", "buffers: "}) {
    EXPECT_THAT(text, ::testing::HasSubstr(part));
  }
}

}  // namespace
}  // namespace carat::compiler
