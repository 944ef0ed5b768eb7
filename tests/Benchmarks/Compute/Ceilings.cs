using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using NanoAspire.Engine.Kernels;
using NanoAspire.Engine.Kernels.Cpu;

namespace NanoAspire.Benchmarks.Compute;

/// <summary>What the machine can do at this moment with the given threads: the best of a few rounds of pure multiply-adds and pure reads.</summary>
internal static unsafe class Ceilings
{
    private const int Rounds = 5;
    private const long Bytes = 512L << 20;                                   // far beyond any cache

    public static double PeakGflops(int threads)
    {
        const long Steps = 20_000_000;
        using var pool = new WorkerPool(threads);
        var work = new FmaWork(Steps, new float[threads]);
        var best = Best(() => pool.Run(work, threads));
        return threads * Steps * FmaWork.Chains * Vector512<float>.Count * 2 / best / 1e9;
    }

    public static double ReadGigabytesPerSecond(int threads)
    {
        using var pool = new WorkerPool(threads);
        using var memory = new NativeBuffer(Bytes);
        new Span<byte>(memory.Address, (int)Bytes).Fill(1);
        var work = new ReadWork(memory.Address, new uint[Bytes / ReadWork.ItemBytes]);
        var best = Best(() => pool.Run(work, (int)(Bytes / ReadWork.ItemBytes)));
        return Bytes / best / 1e9;
    }

    private static double Best(Action round)
    {
        round();
        var best = double.MaxValue;
        for (var i = 0; i < Rounds; i++)
        {
            var start = Stopwatch.GetTimestamp();
            round();
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
        return best;
    }

    private readonly struct FmaWork(long steps, float[] results) : IWork
    {
        public const int Chains = 12;

        public void Run(int item, int worker) => results[item] = Fma(steps);

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static float Fma(long steps)
        {
            var v = Vector512.Create(0.5f);
            Vector512<float> a = v, b = v, c = v, d = v, e = v, f = v, g = v, h = v, i = v, j = v, k = v, l = v;
            for (var n = 0L; n < steps; n++)
            {
                a = Vector512.FusedMultiplyAdd(a, v, v);
                b = Vector512.FusedMultiplyAdd(b, v, v);
                c = Vector512.FusedMultiplyAdd(c, v, v);
                d = Vector512.FusedMultiplyAdd(d, v, v);
                e = Vector512.FusedMultiplyAdd(e, v, v);
                f = Vector512.FusedMultiplyAdd(f, v, v);
                g = Vector512.FusedMultiplyAdd(g, v, v);
                h = Vector512.FusedMultiplyAdd(h, v, v);
                i = Vector512.FusedMultiplyAdd(i, v, v);
                j = Vector512.FusedMultiplyAdd(j, v, v);
                k = Vector512.FusedMultiplyAdd(k, v, v);
                l = Vector512.FusedMultiplyAdd(l, v, v);
            }
            return Vector512.Sum(a + b + c + d + e + f + g + h + i + j + k + l);
        }
    }

    private readonly struct ReadWork(byte* memory, uint[] results) : IWork
    {
        public const long ItemBytes = 1 << 20;

        public void Run(int item, int worker) => results[item] = Read(memory + item * ItemBytes);

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static uint Read(byte* from)
        {
            Vector512<uint> a = default, b = default, c = default, d = default;
            for (var end = from + ItemBytes; from < end; from += 256)
            {
                a ^= Vector512.Load((uint*)from);
                b ^= Vector512.Load((uint*)(from + 64));
                c ^= Vector512.Load((uint*)(from + 128));
                d ^= Vector512.Load((uint*)(from + 192));
            }
            return Vector512.Sum(a ^ b ^ c ^ d);
        }
    }
}
