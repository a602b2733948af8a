// The rows of the matrix: commands whose results are compared byte for byte.
#pragma once

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace lbrx::determinism {

struct Row {
  std::string name;  // letters, digits, '_'
  // Commands, one after another, with paths relative to a place; what they write goes into "run".
  // Standard output is compared as well where the row writes nothing (`prints`).
  std::vector<std::vector<std::string>> commands;
  std::string config = {};  // written to config.yml of the place first
  int code = 0;             // of the last command
  bool prints = false;
};

// For messages of the tests.
void PrintTo(const Row& row, std::ostream* out);

// Drawn from the program's registries, so that a new scheme, type, method, architecture is in the
// matrix by itself.
std::vector<Row> AllRows();

// Parts of it, one a file.
void AddSchemeRows(std::vector<Row>& rows);     // MLX's schemes and recipes
void AddFileTypeRows(std::vector<Row>& rows);   // GGUF's file types and tensor types
void AddMergeRows(std::vector<Row>& rows);      // merge methods
void AddContainerRows(std::vector<Row>& rows);  // dtypes, containers, architectures, packed models
void AddCommandRows(std::vector<Row>& rows);    // edit, repair, apply, and commands that print

// "mixed 2/6" as part of a name.
std::string NamePart(std::string_view text);

}  // namespace lbrx::determinism
