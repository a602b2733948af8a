// Everything that a damaged checkpoint consists of, read as far as it can be.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "check/repair/salvage.h"

namespace lbrx {

struct Gathered {
  std::string path;
  std::string folder;              // empty: a bare file
  std::vector<ScannedFile> files;  // those that should hold the model first
  size_t primary = 0;  // how many those are; from the rest only what is missing is taken
  std::map<std::string, std::string> index;  // of an array: the file in which it should be
  std::string index_name;                    // empty: there is none
  Json total_size;                           // as the index has it
  std::vector<std::string> missing_files;    // that the index names
  std::vector<SideFile> side_files;
  Json config;              // an object; empty where nothing could be read
  std::string config_text;  // where nothing is wrong with it
  bool config_damaged = false;
  std::vector<Mended> mended;
  std::vector<Lost> lost;
};

// kIo where `path` does not exist; kInvalid where there is nothing to repair, saying what it is.
Gathered Gather(const std::string& path);

}  // namespace lbrx
