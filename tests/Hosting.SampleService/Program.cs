using System.Collections;
using System.Globalization;

// A service that behaves as the tests ask: options say how it fails, endpoints show what it was given.
var options = new ConfigurationBuilder().AddCommandLine(args).Build();
if (options["exit"] is { } code)
{
    Console.Error.WriteLine("the sample was told to exit");
    return int.Parse(code, CultureInfo.InvariantCulture);
}

var builder = WebApplication.CreateSlimBuilder(args);
builder.Logging.AddFilter("Microsoft", LogLevel.Warning);
var app = builder.Build();
var healthyAfter = DateTime.UtcNow + TimeSpan.FromMilliseconds(double.Parse(options["healthy-after"] ?? "0", CultureInfo.InvariantCulture));

app.MapGet("/health", () => DateTime.UtcNow < healthyAfter ? Results.StatusCode(503) : Results.Ok());
app.MapGet("/pid", () => Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
app.MapGet("/env", () => Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().ToDictionary(e => (string)e.Key, e => (string?)e.Value));
app.MapGet("/slow", async (HttpResponse response) =>
{
    response.Headers["pid"] = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
    await response.WriteAsync("slow and ");
    await response.Body.FlushAsync();
    await Task.Delay(1500);
    await response.WriteAsync("whole");
});
app.MapGet("/args", () => args);
app.MapGet("/say", (string text) =>
{
    Console.WriteLine(text);
    Console.Error.WriteLine($"error: {text}");
});
app.MapPost("/crash", () =>
{
    _ = Task.Run(async () =>
    {
        await Task.Delay(50);
        Environment.FailFast("the sample was told to crash");
    });
});
app.MapPost("/echo", async (HttpRequest request) =>
{
    using var reader = new StreamReader(request.Body);
    return await reader.ReadToEndAsync();
});
app.Lifetime.ApplicationStopping.Register(() =>
{
    Console.WriteLine($"sample {options["name"]} stops");
    if (options["stop-file"] is { } path) File.AppendAllText(path, $"{options["name"]}\n");
    if (options["ignore-stop"] is not null) Thread.Sleep(TimeSpan.FromMinutes(5));
});
Console.WriteLine($"sample {options["name"]} starts");
app.Run();
return 0;
