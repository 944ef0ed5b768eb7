using System.Reflection;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Hosting;
using NanoAspire.Hosting.Testing;

namespace Aspire.Hosting.Testing;

/// <summary>
/// Brings an application under test: the host's own program runs on a thread of its own up to <c>Build</c>, with random ports, no
/// dashboard and the console lines of resources in the log.
/// </summary>
public static class DistributedApplicationTestingBuilder
{
    /// <typeparam name="TEntryPoint">A type of the host's assembly: <c>Projects.My_AppHost</c>.</typeparam>
    public static Task<IDistributedApplicationTestingBuilder> CreateAsync<TEntryPoint>(CancellationToken cancellationToken = default) where TEntryPoint : class =>
        CreateAsync(typeof(TEntryPoint), cancellationToken);

    public static Task<IDistributedApplicationTestingBuilder> CreateAsync(Type entryPoint, CancellationToken cancellationToken = default) =>
        CreateAsync(entryPoint, [], cancellationToken);

    public static Task<IDistributedApplicationTestingBuilder> CreateAsync<TEntryPoint>(string[] args, CancellationToken cancellationToken = default) where TEntryPoint : class =>
        CreateAsync(typeof(TEntryPoint), args, cancellationToken);

    public static Task<IDistributedApplicationTestingBuilder> CreateAsync(Type entryPoint, string[] args, CancellationToken cancellationToken = default) =>
        CreateAsync(entryPoint, args, static (_, _) => { }, cancellationToken);

    public static Task<IDistributedApplicationTestingBuilder> CreateAsync<TEntryPoint>(string[] args,
        Action<DistributedApplicationOptions, HostApplicationBuilderSettings> configureBuilder, CancellationToken cancellationToken = default) where TEntryPoint : class =>
        CreateAsync(typeof(TEntryPoint), args, configureBuilder, cancellationToken);

    /// <exception cref="InvalidOperationException">The program of the type's assembly ended, or failed, before it built an application.</exception>
    public static async Task<IDistributedApplicationTestingBuilder> CreateAsync(Type entryPoint, string[] args,
        Action<DistributedApplicationOptions, HostApplicationBuilderSettings> configureBuilder, CancellationToken cancellationToken = default)
    {
        var runner = EntryPointRunner.Start(entryPoint, args, new EntryPointInterceptor { Creating = (options, settings) =>
        {
            TestDefaults.Apply(entryPoint.Assembly, args, options, settings);
            configureBuilder(options, settings);
        } });
        try
        {
            var builder = await runner.BuilderAsync(cancellationToken).ConfigureAwait(false);
            return new RunningProgramBuilder(builder, runner);
        }
        catch
        {
            await runner.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>An empty application with the same defaults; the test declares what it needs.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static IDistributedApplicationTestingBuilder Create(params string[] args) => Create(Assembly.GetCallingAssembly(), args, static (_, _) => { });

    /// <inheritdoc cref="Create(string[])"/>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static IDistributedApplicationTestingBuilder Create(string[] args, Action<DistributedApplicationOptions, HostApplicationBuilderSettings> configureBuilder) =>
        Create(Assembly.GetCallingAssembly(), args, configureBuilder);

    private static RunningProgramBuilder Create(Assembly caller, string[] args, Action<DistributedApplicationOptions, HostApplicationBuilderSettings> configureBuilder)
    {
        var interceptor = new EntryPointInterceptor { Creating = (options, settings) =>
        {
            TestDefaults.Apply(caller, args, options, settings);
            configureBuilder(options, settings);
        } };
        interceptor.AllowBuild();
        interceptor.Install();
        try
        {
            return new RunningProgramBuilder(new DistributedApplicationBuilder(args), runner: null);
        }
        finally
        {
            EntryPointInterceptor.Remove();
        }
    }
}
