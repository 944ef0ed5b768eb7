using System.Globalization;

namespace NanoAspire.Engine.Transfer.Tests;

/// <summary>
/// How many times slower than usual this machine is (<c>NANOASPIRE_TEST_SLOWNESS</c>, 1): on an emulated processor deadlines of a
/// second mean nothing, so they, and the stalls that are to exceed them, grow with it.
/// </summary>
internal static class Slowness
{
    public static int Factor { get; } = int.Parse(Environment.GetEnvironmentVariable("NANOASPIRE_TEST_SLOWNESS") ?? "1", CultureInfo.InvariantCulture);

    public static TimeSpan Milliseconds(int usually) => TimeSpan.FromMilliseconds(usually * Factor);

    public static TimeSpan Seconds(int usually) => TimeSpan.FromSeconds(usually * Factor);
}
