// Writes the cases of all WGSL kernels to a folder: `write_kernel_cases FOLDER`.

#include <exception>
#include <filesystem>
#include <iostream>

#include "carat/base/error.h"
#include "tests/compiler/codegen/webgpu/kernel_cases.h"

int main(int argc, char** argv) {
  using namespace carat::compiler::webgpu;
  try {
    if (argc != 2) throw carat::Error("usage: write_kernel_cases FOLDER");
    const std::filesystem::path folder = argv[1];
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
    int number = 0;
    for (const auto make_cases : {RowKernelCases, MatMulKernelCases, AttentionKernelCases,
                                  ModelKernelCases, LogitKernelCases, SamplingKernelCases}) {
      for (const KernelCase& kernel_case : make_cases()) {
        WriteCase(kernel_case, ++number, folder);
      }
    }
    std::cout << number << " cases\n";
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "write_kernel_cases: " << error.what() << '\n';
    return 1;
  }
}
