"""multiprocessing by fork and by spawn, pools, queues, shared memory, and subprocess."""
import multiprocessing
import os
import subprocess
import sys
from multiprocessing import shared_memory


def square(n):
    return n * n


def child(queue, name):
    block = shared_memory.SharedMemory(name)
    block.buf[0] += 1
    block.close()
    queue.put(multiprocessing.current_process().name)


def main():
    for method in ("fork", "spawn"):
        context = multiprocessing.get_context(method)
        with context.Pool(2) as pool:
            print(method, pool.map(square, range(8)))
        block = shared_memory.SharedMemory(create=True, size=16)
        queue = context.Queue()
        process = context.Process(target=child, args=(queue, block.name), name="child")
        process.start()
        print(queue.get(timeout=30))
        process.join()
        print(process.exitcode, block.buf[0])
        block.close()
        block.unlink()
    done = subprocess.run([sys.executable, "-c", "import sys; print(sys.argv); sys.exit(4)", "an argument"],
                          capture_output=True, text=True)
    print(done.stdout.strip(), done.stderr, done.returncode)
    print(subprocess.run("echo $((6 * 7)) | tr 4 f", shell=True, capture_output=True).stdout)
    print(subprocess.run(["/bin/kill", "-0", str(os.getpid())]).returncode)
    pid = os.fork()
    if pid == 0:
        os.execvp("true", ["true"])
    print(os.waitpid(pid, 0)[1])


if __name__ == "__main__":
    main()
