// Each of the directories here, by-name, by-env and by-path holds a library of the same file name
// that answers with its own number.
#include "../check.h"

static int answer_of(const char* file) {
  void* handle = dlopen(file, RTLD_NOW);
  if (handle == NULL) return -1;
  int answer = call_int(handle, "answer");
  dlclose(handle);
  return answer;
}

int main(void) {
  CHECK("S03 a file with a slash is a path, without any search") {
    if (chdir(program_directory()) != 0) give_up("chdir");
    EXPECT(answer_of("./libwhere.so") == 1);
    EXPECT(answer_of("by-path/libwhere.so") == 3);
    EXPECT(answer_of(beside_program("by-path/libwhere.so")) == 3);
    // Relative means relative to the current directory, whatever LD_LIBRARY_PATH and RUNPATH say.
    EXPECT(chdir("by-path") == 0);
    EXPECT(answer_of("./libwhere.so") == 3);
    EXPECT(answer_of("../libwhere.so") == 1);
    EXPECT(answer_of("by-path/libwhere.so") == -1);
    EXPECT(error_names("by-path/libwhere.so: cannot open shared object file: No such file"));
    EXPECT(chdir("..") == 0);
  }
  CHECK("S04 a file without a slash is searched") {
    // LD_LIBRARY_PATH=by-env comes before the program's RUNPATH, which is its own directory.
    EXPECT(answer_of("libwhere.so") == 2);
    EXPECT(answer_of("libbeside.so") == 4);
    // The system's own libraries are found without either.
    void* system_library = dlopen("libm.so.6", RTLD_NOW);
    EXPECT(system_library != NULL);
    EXPECT(answer_of("libof-no-directory.so") == -1);
    EXPECT(error_names("libof-no-directory.so: cannot open shared object file: No such file"));
    // The current directory is not searched.
    EXPECT(chdir("by-path") == 0);
    EXPECT(answer_of("libonly-by-path.so") == -1);
    EXPECT(answer_of("./libonly-by-path.so") == 5);
  }
  return check_status();
}
