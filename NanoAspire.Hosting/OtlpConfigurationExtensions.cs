using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using NanoAspire.Hosting.Model;

namespace Aspire.Hosting;

/// <summary>Gives resources the OpenTelemetry variables.</summary>
public static class OtlpConfigurationExtensions
{
    public static IResourceBuilder<T> WithOtlpExporter<T>(this IResourceBuilder<T> builder) where T : IResourceWithEnvironment
    {
        AddOtlpEnvironment(builder.Resource, builder.ApplicationBuilder.Configuration, builder.ApplicationBuilder.Environment);
        return builder;
    }

    public static IResourceBuilder<T> WithOtlpExporter<T>(this IResourceBuilder<T> builder, OtlpProtocol protocol) where T : IResourceWithEnvironment
    {
        AddOtlpEnvironment(builder.Resource, builder.ApplicationBuilder.Configuration, builder.ApplicationBuilder.Environment, protocol);
        return builder;
    }

    public static void AddOtlpEnvironment(IResource resource, IConfiguration configuration, IHostEnvironment environment) =>
        Add(resource, configuration, environment, required: null);

    public static void AddOtlpEnvironment(IResource resource, IConfiguration configuration, IHostEnvironment environment, OtlpProtocol protocol) =>
        Add(resource, configuration, environment, protocol);

    private static void Add(IResource resource, IConfiguration configuration, IHostEnvironment environment, OtlpProtocol? required)
    {
        resource.Annotations.Add(new OtlpExporterAnnotation { RequiredProtocol = required });
        resource.Annotations.Add(new EnvironmentCallbackAnnotation(context =>
        {
            var variables = context.EnvironmentVariables;
            if (context.ExecutionContext.IsRunMode)
            {
                OtlpTarget.From(configuration, required)?.AddTo(variables, forContainer: resource.IsContainer());
                variables["OTEL_SERVICE_NAME"] = resource.Name;
                variables["OTEL_RESOURCE_ATTRIBUTES"] = new InstanceAttribute();
                if (environment.IsDevelopment())
                {
                    variables["OTEL_BSP_SCHEDULE_DELAY"] = "1000";
                    variables["OTEL_BLRP_SCHEDULE_DELAY"] = "1000";
                    variables["OTEL_METRIC_EXPORT_INTERVAL"] = "1000";
                    variables["OTEL_TRACES_SAMPLER"] = "always_on";
                    variables["OTEL_METRICS_EXEMPLAR_FILTER"] = "trace_based";
                    variables["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = "true";
                    variables["OTEL_DOTNET_EXPERIMENTAL_ASPNETCORE_DISABLE_URL_QUERY_REDACTION"] = "true";
                    variables["OTEL_DOTNET_EXPERIMENTAL_HTTPCLIENT_DISABLE_URL_QUERY_REDACTION"] = "true";
                }
            }
            variables["OTEL_DOTNET_EXPERIMENTAL_OTLP_RETRY"] = "in_memory";
        }));
    }

    /// <summary><c>service.instance.id</c> of whichever instance asks.</summary>
    private sealed class InstanceAttribute : IValueProvider
    {
        public ValueTask<string?> GetValueAsync(CancellationToken cancellationToken = default) => new((string?)null);
        public ValueTask<string?> GetValueAsync(ValueProviderContext context, CancellationToken cancellationToken = default) =>
            new(context.Instance is { } instance ? $"service.instance.id={instance.Suffix}" : null);
    }
}
