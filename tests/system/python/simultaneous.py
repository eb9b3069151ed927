"""Threads that come and go, thread-local data, an executor, and asyncio with subprocesses."""
import asyncio
import concurrent.futures
import decimal
import threading

local = threading.local()
results = []


def work(n):
    local.value = n
    decimal.getcontext().prec = n + 5
    text = str(decimal.Decimal(1) / 7)
    results.append((n, local.value, len(text)))


for start in range(5):
    threads = [threading.Thread(target=work, args=(start * 10 + i,)) for i in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
print(sorted(results) == [(n, n, n + 7) for n in range(50)], len(results))

with concurrent.futures.ThreadPoolExecutor(4) as pool:
    print(sum(pool.map(lambda n: n * n, range(1000))))


async def echo(reader, writer):
    writer.write((await reader.readline()).upper())
    await writer.drain()
    writer.close()


async def main():
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]

    async def ask(text):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(text.encode() + b"\n")
        answer = await reader.readline()
        writer.close()
        return answer

    print(await asyncio.gather(*(ask(f"line {n}") for n in range(5))))
    process = await asyncio.create_subprocess_exec("echo", "from a subprocess",
                                                   stdout=asyncio.subprocess.PIPE)
    print((await process.communicate())[0], process.returncode)
    print(await asyncio.to_thread(lambda: threading.current_thread() is not threading.main_thread()))
    try:
        await asyncio.wait_for(asyncio.sleep(10), 0.05)
    except asyncio.TimeoutError:
        print("timed out")


asyncio.run(main())
