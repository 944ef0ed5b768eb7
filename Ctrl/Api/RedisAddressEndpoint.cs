namespace NanoAspire.Ctrl.Api;

internal static class RedisAddressEndpoint
{
    /// <summary>Guarded like a write: the URL may hold the password.</summary>
    public static void MapRedisAddress(this IEndpointRouteBuilder routes) => routes.MapApi("/get_redis_address", Effect.Secret, FindAsync);

    private static Task<Reply> FindAsync(ApiCall call, CancellationToken ct)
    {
        var url = call.Http.RequestServices.GetRequiredService<RedisDirections>().ForAnyone();
        return Task.FromResult(url is null
            ? Reply.Error(StatusCodes.Status503ServiceUnavailable, "This control plane keeps its state itself: there is no Redis")
            : Reply.Json(json =>
            {
                json.WriteStartObject();
                json.WriteString("status", "ok");
                json.WriteString("redis_address", url);
                json.WriteEndObject();
            }));
    }
}
