using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using Aspire.Hosting.Eventing;
using Aspire.Hosting.Pipelines;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;
using NanoAspire.Hosting.Publishing.Steps;
using NanoAspire.Hosting.Model;
using NanoAspire.Hosting.Run;
using NanoAspire.Hosting.Testing;

namespace Aspire.Hosting;

/// <inheritdoc cref="IDistributedApplicationBuilder"/>
public class DistributedApplicationBuilder : IDistributedApplicationBuilder
{
    private static readonly Dictionary<string, string> Switches = new()
    {
        ["--operation"] = "AppHost:Operation",
        ["--publisher"] = "Publishing:Publisher",
        ["--output-path"] = "Pipeline:OutputPath",
        ["--step"] = "Pipeline:Step",
        ["--log-level"] = "Pipeline:LogLevel",
        ["--include-exception-details"] = "Pipeline:IncludeExceptionDetails",
        ["--clear-cache"] = "Pipeline:ClearCache",
        ["--dcp-cli-path"] = "DcpPublisher:CliPath",
        ["--dcp-container-runtime"] = "DcpPublisher:ContainerRuntime",
        ["--dcp-dependency-check-timeout"] = "DcpPublisher:DependencyCheckTimeout",
        ["--dcp-dashboard-path"] = "DcpPublisher:DashboardPath",
    };

    private readonly HostApplicationBuilder _inner;
    private readonly DistributedApplicationOptions _options;
    private readonly DistributedApplicationExecutionContextOptions _executionOptions;
    private readonly DistributedApplicationPipeline _pipeline = new();
    private readonly EntryPointInterceptor? _interceptor = EntryPointInterceptor.Current;

    public DistributedApplicationBuilder(string[] args) : this(new DistributedApplicationOptions { Args = args })
    {
    }

    public DistributedApplicationBuilder(DistributedApplicationOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        var settings = new HostApplicationBuilderSettings { Args = options.Args };
        _interceptor?.OnBuilderCreating(options, settings);

        AppHostAssembly = options.AssemblyName is { } name ? Assembly.Load(name) : Assembly.GetEntryAssembly();
        AppHostDirectory = FindDirectory(options, AppHostAssembly);
        settings.ContentRootPath ??= AppHostDirectory;
        settings.ApplicationName ??= AppHostAssembly?.GetName().Name;
        _inner = new HostApplicationBuilder(settings);
        if (options.Args is { Length: > 0 } args) _inner.Configuration.AddCommandLine(args, Switches);
        AddSecrets();

        var projectName = Metadata(AppHostAssembly, "apphostprojectname") ?? settings.ApplicationName ?? "apphost";
        AppHostPath = Path.Combine(AppHostDirectory, projectName);
        _executionOptions = OperationOf(_inner.Configuration);
        ExecutionContext = new DistributedApplicationExecutionContext(_executionOptions);
        AddHostFacts(projectName);
        AddServices();
        _interceptor?.OnBuilderCreated(this);
    }

    public ConfigurationManager Configuration => _inner.Configuration;
    public string AppHostDirectory { get; }
    public string AppHostPath { get; }
    public Assembly? AppHostAssembly { get; }
    public IHostEnvironment Environment => _inner.Environment;
    public IServiceCollection Services => _inner.Services;
    public IDistributedApplicationEventing Eventing { get; } = new DistributedApplicationEventing();
    public DistributedApplicationExecutionContext ExecutionContext { get; }
    public IResourceCollection Resources { get; } = new ResourceCollection();
    public IDistributedApplicationPipeline Pipeline => _pipeline;

    public IResourceBuilder<T> AddResource<T>(T resource) where T : IResource
    {
        ArgumentNullException.ThrowIfNull(resource);
        if (Resources.FirstOrDefault(r => string.Equals(r.Name, resource.Name, StringComparison.OrdinalIgnoreCase)) is { } existing)
        {
            throw new DistributedApplicationException($"Cannot add resource of type '{resource.GetType()}' with name '{resource.Name}' because resource of type '{existing.GetType()}' with that name already exists. Resource names are case-insensitive.");
        }
        Resources.Add(resource);
        return CreateResourceBuilder(resource);
    }

    public IResourceBuilder<T> CreateResourceBuilder<T>(T resource) where T : IResource
    {
        ArgumentNullException.ThrowIfNull(resource);
        return new DistributedApplicationResourceBuilder<T>(this, resource);
    }

    public DistributedApplication Build()
    {
        _interceptor?.OnBuilding(this);
        var twice = Resources.GroupBy(r => r.Name, StringComparer.OrdinalIgnoreCase).FirstOrDefault(g => g.Count() > 1);
        if (twice is not null) throw new DistributedApplicationException($"Multiple resources with the name '{twice.Key}'. Resource names are case-insensitive.");
        var application = new DistributedApplication(_inner.Build(), _interceptor);
        _executionOptions.ServiceProvider = application.Services;
        _interceptor?.OnBuilt(application);
        return application;
    }

    private void AddServices()
    {
        var services = _inner.Services;
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton(ExecutionContext);
        services.AddSingleton(_options);
        services.AddSingleton(Eventing);
        services.AddSingleton(new HostAssembly(AppHostAssembly));
        services.AddSingleton(new HostSecrets(UserSecrets.Of(this)));
        services.AddSingleton(_ => new DistributedApplicationModel(Resources));
        services.AddSingleton(p => new ResourceLoggerService(p));
        services.AddSingleton(p => new ResourceNotificationService(p.GetRequiredService<ILogger<ResourceNotificationService>>(),
            p.GetRequiredService<ResourceLoggerService>(), p.GetRequiredService<IOptions<ResourceNotificationServiceOptions>>()));
        services.AddSingleton(p => new ResourceCommandService(p.GetRequiredService<ResourceNotificationService>(), p.GetRequiredService<ResourceLoggerService>(), p));
        services.AddHttpClient();
        services.AddHealthChecks();
        // Only the keyed checks of resources are run, one by one; nobody asks for a report of all.
        services.Configure<HealthCheckPublisherOptions>(o => o.Period = TimeSpan.FromDays(1));
        services.Configure<ResourceNotificationServiceOptions>(o => o.DefaultWaitBehavior =
            _options.DisableDashboard ? WaitBehavior.StopOnResourceUnavailable : WaitBehavior.WaitOnResourceUnavailable);
        services.Configure<HostOptions>(o => o.ShutdownTimeout = TimeSpan.FromSeconds(60));
        services.Configure<ConsoleLifetimeOptions>(o => o.SuppressStatusMessages = true);
        ConfigureLogging(_inner.Logging);

        if (!ExecutionContext.IsRunMode)
        {
            services.AddPublishing(_inner.Configuration, _pipeline);
            return;
        }
        if (_interceptor is null) services.AddHostedService<ConsolePrinter>();
        if (_options.EnableResourceLogging) services.AddHostedService<ResourceLogForwarder>();
        if (!_options.DisableDashboard)
        {
            services.AddSingleton<DashboardResources>();
            services.AddHostedService<DashboardService>();
        }
        services.AddHostedService<HealthMonitor>();
        services.AddSingleton<ApplicationOrchestrator>();
        services.AddHostedService(p => p.GetRequiredService<ApplicationOrchestrator>());
    }

    private static void ConfigureLogging(ILoggingBuilder logging)
    {
        logging.AddFilter("Microsoft.Hosting.Lifetime", LogLevel.Warning);
        logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
        logging.AddFilter("Microsoft.Extensions.Diagnostics.HealthChecks", LogLevel.None);     // reported per resource instead
        logging.AddFilter("System.Net.Http.HttpClient", LogLevel.Warning);
        logging.AddFilter("Aspire.Hosting", LogLevel.Information);
        logging.AddFilter("NanoAspire.Dashboard", LogLevel.Warning);
        logging.AddConsole(o => o.FormatterName = HostConsoleFormatter.FormatterName).AddConsoleFormatter<HostConsoleFormatter, ConsoleFormatterOptions>();
    }

    private void AddSecrets()
    {
        if (_inner.Environment.IsDevelopment() && AppHostAssembly is not null) _inner.Configuration.AddUserSecrets(AppHostAssembly, optional: true, reloadOnChange: false);
    }

    /// <summary>What the host knows about itself, where other components look for it.</summary>
    private void AddHostFacts(string projectName)
    {
        var application = Path.GetFileNameWithoutExtension(projectName);
        var path = Sha256(AppHostPath.ToLowerInvariant());
        var name = Sha256(application);
        _inner.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["AppHost:Directory"] = AppHostDirectory,
            ["AppHost:Path"] = AppHostPath,
            ["AppHost:FilePath"] = AppHostPath,
            ["AppHost:DashboardApplicationName"] = _options.DashboardApplicationName ?? application,
            ["AppHost:PathSha256"] = path,
            ["AppHost:ProjectNameSha256"] = name,
            ["AppHost:Sha256"] = ExecutionContext.IsPublishMode ? name : path,
            ["AppHost:BrowserToken"] = Configured("ASPIRE_DASHBOARD_FRONTEND_BROWSERTOKEN", "DOTNET_DASHBOARD_FRONTEND_BROWSERTOKEN", "AppHost:BrowserToken") ?? Kept("AppHost:BrowserToken"),
            ["AppHost:OtlpApiKey"] = Configured("AppHost:OtlpApiKey") ?? Kept("AppHost:OtlpApiKey"),
            ["NanoAspire:RestartOnCrash"] = Configured("NanoAspire:RestartOnCrash") ?? (_interceptor is null ? "true" : "false"),
        });
    }

    private string? Configured(params ReadOnlySpan<string> keys)
    {
        foreach (var key in keys)
        {
            if (_inner.Configuration[key] is { Length: > 0 } value) return value;
        }
        return null;
    }

    /// <summary>A new secret, the same in the next run where the host has user secrets.</summary>
    private string Kept(string key)
    {
        var secret = RandomNumberGenerator.GetHexString(32, lowercase: true);
        if (!_options.DisableDashboard) UserSecrets.Of(this)?.TrySet(key, secret);
        return secret;
    }

    private static string Sha256(string text) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private static DistributedApplicationExecutionContextOptions OperationOf(ConfigurationManager configuration)
    {
        var publisher = configuration["Publishing:Publisher"];
        if (string.Equals(publisher, "manifest", StringComparison.OrdinalIgnoreCase)) configuration["Pipeline:Step"] ??= "publish-manifest";
        var operation = configuration["AppHost:Operation"] switch
        {
            null or "" => publisher is null ? DistributedApplicationOperation.Run : DistributedApplicationOperation.Publish,
            var text when Enum.TryParse<DistributedApplicationOperation>(text, ignoreCase: true, out var parsed) && Enum.IsDefined(parsed) => parsed,
            var text => throw new DistributedApplicationException($"Invalid operation '{text}'. Valid operations are: run, publish."),
        };
        return new DistributedApplicationExecutionContextOptions(operation, publisher);
    }

    /// <summary>The project's folder as the build recorded it; a host that was moved away from its sources uses its own folder.</summary>
    private static string FindDirectory(DistributedApplicationOptions options, Assembly? assembly)
    {
        if (options.ProjectDirectory is { } given) return Path.GetFullPath(given);
        if (Metadata(assembly, "apphostprojectpath") is { } recorded && Directory.Exists(recorded)) return recorded;
        return Metadata(assembly, "apphostprojectpath") is null ? Directory.GetCurrentDirectory() : AppContext.BaseDirectory;
    }

    internal static string? Metadata(Assembly? assembly, string key) => assembly?.GetCustomAttributes<AssemblyMetadataAttribute>()
        .FirstOrDefault(a => string.Equals(a.Key, key, StringComparison.OrdinalIgnoreCase))?.Value;
}
