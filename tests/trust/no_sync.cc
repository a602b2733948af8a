// fsync of the test programs, which does nothing: no test here takes the power away, FaultyIo keeps
// account of what was synced, and a disk takes a hundred times as long as all the rest.
extern "C" int fsync(int /*descriptor*/) {  // NOLINT(readability-identifier-naming)
  return 0;
}
