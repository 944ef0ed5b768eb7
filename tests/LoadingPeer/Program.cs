using System.Globalization;
using NanoAspire.Engine.Loading;

// loading-peer SMALL LARGE: loads SMALL, so that the code is there, then LARGE. Prints the bytes of LARGE's weights as kept and how far
// the process's resident memory rose above what it was before LARGE, at its highest.
var options = new ModelLoadOptions { Threads = 2, KvMemoryBytes = 4 << 20, MaxSequences = 1, MaxModelLength = 64 };
ModelLoader.Load(args[0], options).Dispose();
GC.Collect();
var before = Kilobytes("VmRSS");
using var runner = ModelLoader.Load(args[1], options);
Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{runner.Model.WeightBytes} {(Kilobytes("VmHWM") - before) << 10}"));

static long Kilobytes(string field) =>
    long.Parse(File.ReadLines("/proc/self/status").First(line => line.StartsWith(field, StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
